from scipy.stats import ttest_ind, ttest_rel

from tests.tracking.fake_runs import IMAGES, PlainRuns


def test_a_difference_that_chance_explains_is_said_to_be_no_larger(runs: PlainRuns) -> None:
    runs.record("a", wrong=slice(0, 3))
    runs.record("b", wrong=slice(2, 8))
    by_hand = f"{2 * (1 + 7 + 21) / 2**7:.3f}"
    assert runs.verdicts("b", "a") == [
        "'a' is right on 5 images that 'b' has wrong, and wrong on 2 that it has right: "
        f"McNemar's exact p = {by_hand}, not larger than chance at 95%."
    ]


def test_a_difference_that_chance_does_not_explain_is_said_to_be_larger(runs: PlainRuns) -> None:
    runs.record("a", wrong=slice(0, 37))
    runs.record("b", wrong=slice(100, 121))
    assert runs.verdicts("a", "b") == [
        "'b' is right on 37 images that 'a' has wrong, and wrong on 21 that it has right: McNemar's p = 0.0489, "
        "larger than chance at 95%."
    ]


def test_three_runs_are_compared_in_pairs_with_holms_correction(runs: PlainRuns) -> None:
    runs.record("a", wrong=slice(0, 37))
    runs.record("b", wrong=slice(100, 121))
    runs.record("c", wrong=slice(0, 38))
    sentences = runs.verdicts("a", "b", "c")
    ends = [sentence.partition("McNemar's ")[2] for sentence in sentences]
    assert ends == [
        "p = 0.0489 (0.112 after Holm's correction for 3 pairs), not larger than chance at 95%.",
        "exact p = 1 (1 after Holm's correction for 3 pairs), not larger than chance at 95%.",
        "p = 0.0372 (0.112 after Holm's correction for 3 pairs), not larger than chance at 95%.",
    ]


def test_more_than_three_runs_are_compared_with_the_first(runs: PlainRuns) -> None:
    for name, wrong in {"a": slice(0, 2), "b": slice(5, 20), "c": slice(0, 3), "d": slice(0, 4)}.items():
        runs.record(name, wrong)
    sentences = runs.verdicts("a", "b", "c", "d")
    assert len(sentences) == 3
    assert all("'a'" in sentence and "for 3 pairs" in sentence for sentence in sentences)


def test_runs_that_are_right_on_the_same_images_do_not_differ(runs: PlainRuns) -> None:
    runs.record("a", wrong=slice(0, 3))
    runs.record("b", wrong=slice(0, 3))
    assert runs.verdicts("a", "b") == ["'a' and 'b' are right on the same images: no difference in accuracy."]


def test_runs_tested_on_other_images_are_not_compared(runs: PlainRuns) -> None:
    runs.record("a", wrong=slice(0, 3))
    runs.record("b", wrong=slice(0, 1), digest="other")
    assert runs.verdicts("a", "b") == [
        "'a' and 'b' were tested on other images, same bars and other bars: not compared."
    ]


def test_a_run_that_was_not_tested_is_not_compared(runs: PlainRuns) -> None:
    runs.record("a", wrong=slice(0, 3))
    runs.record("killed", wrong=None, status="KILLED")
    assert runs.verdicts("a", "killed") == ["'killed' has no predictions of test images: not compared."]


def seeds(runs: PlainRuns, cell: str, wrong: dict[int, int]) -> list[float]:
    """Records a run for each seed with so many wrong images; returns their accuracies."""
    for seed, count in wrong.items():
        runs.record(f"{cell} s{seed}", wrong=slice(0, count), params={"training.seed": seed, "model.cell": cell})
    return [1 - count / IMAGES for count in wrong.values()]


def test_groups_with_the_same_seeds_are_compared_in_pairs(runs: PlainRuns) -> None:
    gru = seeds(runs, "gru", {1: 4, 2: 9, 3: 20})
    lstm = seeds(runs, "lstm", {3: 25, 1: 8, 2: 15})
    verdict, *means = runs.verdicts("lstm s1", "gru s2", "lstm s2", "gru s3", "gru s1", "lstm s3")
    test = ttest_rel(gru, sorted(lstm, reverse=True))
    low, high = test.confidence_interval(0.95)
    assert [sentence.partition(" are 3 runs that differ in the seed alone")[0] for sentence in means] == [
        "'lstm seeds 1 to 3'",
        "'gru seeds 1 to 3'",
    ]
    assert verdict == (
        "'gru seeds 1 to 3' has a mean test/accuracy higher by 0.0250 than 'lstm seeds 1 to 3', 95% interval "
        f"{low:.4f} to {high:.4f} (paired by seed, as both have the same seeds): p = {test.pvalue:.3g}, "
        "larger than chance at 95%."
    )


def test_groups_with_other_seeds_are_compared_by_welchs_interval(runs: PlainRuns) -> None:
    gru = seeds(runs, "gru", {1: 4, 2: 9, 3: 20})
    lstm = seeds(runs, "lstm", {1: 8, 2: 15})
    verdict, *_ = runs.verdicts("lstm s1", "lstm s2", "gru s1", "gru s2", "gru s3")
    test = ttest_ind(gru, lstm, equal_var=False)
    low, high = test.confidence_interval(0.95)
    assert verdict.partition("seeds 1, 2', ")[2] == (
        f"95% interval {low:.4f} to {high:.4f} (Welch's, as their seeds are not the same): p = {test.pvalue:.3g}, "
        "not larger than chance at 95%."
    )


def test_a_group_is_not_compared_with_a_single_seed(runs: PlainRuns) -> None:
    seeds(runs, "gru", {1: 4, 2: 9})
    seeds(runs, "lstm", {1: 8})
    assert runs.verdicts("lstm s1", "gru s1", "gru s2")[-1] == (
        "'lstm s1' has one seed, so its mean cannot be compared with that of 'gru seeds 1, 2': train more."
    )


def test_a_difference_that_is_the_same_for_every_seed_is_not_tested(runs: PlainRuns) -> None:
    seeds(runs, "gru", {1: 4, 2: 8})
    seeds(runs, "lstm", {1: 8, 2: 12})
    assert runs.verdicts("lstm s1", "lstm s2", "gru s1", "gru s2")[0].endswith(
        "higher by 0.0200 than 'lstm seeds 1, 2', the same for every seed: without a spread there is no test."
    )


def test_two_runs_that_differ_in_the_seed_alone_are_also_compared_by_their_images(runs: PlainRuns) -> None:
    seeds(runs, "gru", {1: 4, 2: 40})
    images, mean = runs.verdicts("gru s1", "gru s2")
    assert mean.startswith("'gru seeds 1, 2' are 2 runs that differ in the seed alone: mean test/accuracy 0.8900, 95%")
    assert images.startswith("'gru s1' is right on 36 images that 'gru s2' has wrong")


def test_trials_that_were_not_tested_are_compared_on_the_validation_images(runs: PlainRuns) -> None:
    for seed in (1, 2):
        runs.record(f"a s{seed}", wrong=None, params={"training.seed": seed})
    assert runs.verdicts("a s1", "a s2")[0].endswith("mean valid/accuracy 0.5000, 95% interval 0.5000 to 0.5000.")
