import pytest
from click.shell_completion import ShellComplete

from mnist_lstm.cli import cli
from tests.support.projects import Project


def test_the_preset_that_the_shell_names_counts_for_every_command(project: Project) -> None:
    (project.path / "conf/team").mkdir()
    runs = [project.invoke("--pipelines", "ingest", KEDRO_ENV="temA")]
    for done in runs + [project.call(command, KEDRO_ENV="temA") for command in ("draw", "sync-runs")]:
        assert done.output.splitlines()[-1].endswith("not 'temA' (did you mean 'team'?).")
    (project.path / "conf/team/mlflow.yml").write_text("tracking: {enbled: true}")
    for done in (project.invoke(KEDRO_ENV="team"), project.call("draw", KEDRO_ENV="team")):
        assert "'tracking.enbled'" in done.output.splitlines()[-1]


def test_a_wrong_key_in_the_file_of_options_is_named(project: Project) -> None:
    (project.path / "run.yml").write_text("run: {pipelnes: ingest}")
    last = project.invoke("--config", "run.yml").output.splitlines()[-1]
    assert last.startswith("Error: --config: ")
    assert "pipelnes" in last


def test_parameters_of_the_file_of_options_count_beside_those_of_the_command_line(project: Project) -> None:
    (project.path / "run.yml").write_text("run: {params: {model.hidden_size: 0, training: {seed: -1}}}")
    last = project.invoke("--config", "run.yml", "--params", "training.seed=2").output.splitlines()[-1]
    assert "model.hidden_size" in last
    assert "training.seed" not in last
    for same in ("{model: {hidden_size: 0}, training.seed: -1}", "'model.hidden_size=0,training.seed=-1'"):
        (project.path / "run.yml").write_text(f"run: {{params: {same}}}")
        assert project.invoke("--config", "run.yml", "--params", "training.seed=2").output.splitlines()[-1] == last
    (project.path / "run.yml").write_text("run: {params: 'model.hidden_size'}")
    told = " ".join(project.invoke("--config", "run.yml", "--params", "training.seed=2").output.split())
    assert "Invalid format of `params` option: Item `model.hidden_size`" in told


def test_a_folder_whose_name_holds_a_comma_is_named_by_a_file(project: Project) -> None:
    done = project.invoke("--pipelines", "predict", "--params", "predict.folder=a,b")
    told = " ".join(done.output.split())
    assert "a value that holds a comma goes into a file, as `run: {params: {predict: {folder: 'a,b'}}}` with" in told
    (project.path / "run.yml").write_text("run: {params: {predict: {folder: 'a,b'}}}")
    last = project.invoke("--pipelines", "predict", "--config", "run.yml").output.splitlines()[-1]
    assert "'a,b'" in last


@pytest.mark.parametrize("value", ["{dta}-lstm", "*best*", "@home", "[a"])
def test_a_value_that_is_not_of_yaml_is_named_with_the_quotes_that_it_needs(project: Project, value: str) -> None:
    for command in ((), ("sweep",)):
        given = ("--params", f"tracking.run.name={value}")
        done = project.call(*command, *given) if command else project.invoke(*given)
        assert done.exit_code == 2
        assert f"found {value!r}" in done.output.splitlines()[-1]
        assert f"'KEY=\"{value}\"'" in done.output.splitlines()[-1]


# The same in a process of its own, where Kedro's own command line has the last word


def test_a_mistake_is_the_last_line_and_sets_the_exit_code(project: Project) -> None:
    done = project.run("--params", "trian.seed=1")
    assert done.returncode == 1
    assert "Traceback" not in done.stdout
    assert done.stdout.splitlines()[-1].startswith("Error: parameter 'trian' is unknown")


def test_the_projects_run_has_all_options_of_kedros_own() -> None:
    from kedro.framework.cli.project import run as kedro_run

    from mnist_lstm.cli import run

    assert [option.name for option in run.params] == [option.name for option in kedro_run.params]


def test_the_shell_completes_a_line_with_an_option_given_twice() -> None:
    shell = ShellComplete(cli, {}, "kedro", "_KEDRO_COMPLETE")
    found = shell.get_completions(["run", "--env", "a", "--env", "b"], "--pi")
    assert [each.value for each in found] == ["--pipeline", "--pipelines"]
