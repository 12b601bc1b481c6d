#!/usr/bin/env bash
# Seen on 2026-11-28 with optuna 5.0.0, scikit-learn 1.9.1, Python 3.11, Linux.
#
# A study of 40 trials varies one parameter, of which the value is a plain function, and gives the other the same value
# in every trial. `get_param_importances` with its default evaluator (PED-ANOVA) says that the constant has 0.22 of the
# importance. The fANOVA evaluator says 0.00. The default does not estimate shares of variance: it compares where the
# best trials lie with where all of a parameter's range lies, and a constant lies in one place of its range.
#
# So a chart of importances that people read as "share of the variance" needs FanovaImportanceEvaluator.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check optuna==5.0.0 scikit-learn==1.9.1
cat > "$folder/constant.py" <<'PY'
import warnings

import optuna
from optuna.distributions import FloatDistribution
from optuna.importance import FanovaImportanceEvaluator, get_param_importances

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
ranges = {"varied": FloatDistribution(0, 1), "constant": FloatDistribution(0, 1)}
study = optuna.create_study()
for number in range(40):
    varied = number / 40
    parameters = {"varied": varied, "constant": 0.5}
    study.add_trial(optuna.trial.create_trial(params=parameters, distributions=ranges, value=(varied - 0.3) ** 2))
for name, evaluator in (("default", None), ("fANOVA", FanovaImportanceEvaluator(seed=0))):
    print(f"{name}: the constant has {get_param_importances(study, evaluator=evaluator)['constant']:.2f}")
PY
found=$("$folder/venv/bin/python" "$folder/constant.py")
expected='default: the constant has 0.22
fANOVA: the constant has 0.00'
printf '%s\n' "$found"
[ "$found" = "$expected" ] || { echo "the behaviour has changed; it was:"; printf '%s\n' "$expected"; exit 1; }
