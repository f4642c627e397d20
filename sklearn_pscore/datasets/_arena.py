"""A synthetic arena: votes between systems, whose truth is known."""

from importlib.resources import files
from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from sklearn_pscore._estimators.random_state import generator_of
from sklearn_pscore._target.groups import Groups

_WEIGHTS = (1.0, -0.8, 0.6, 0.4)
"""True weights of the first metrics; all others have none."""

_SYSTEM_SHARE = 0.5
"""Share of a metric's variance that is between systems; the rest is by prompt."""

_CARELESS_SHARE = 0.1
"""Share of the annotators who vote by chance half of the time."""


def make_arena(
    *,
    n_systems=8,
    n_prompts=60,
    n_votes=2000,
    n_metrics=6,
    n_annotators=20,
    scale=1.0,
    tie_parameter=0.5,
    order_bias=0.0,
    n_unseen=0,
    random_state=None,
):
    r"""Make votes on the answers of systems to prompts, with a known truth.

    Each answer, a system's on a prompt, has metrics z with mean 0 and variance 1, half
    of which is the system's own. Its true score is s = scale * w'z, with the weights 1,
    -.8, .6, .4 and 0 for all further metrics. A vote shows two random answers to one
    prompt, in random order, to a random annotator. With d the difference of the true
    scores plus what it is worth to be shown first, the left, the right and neither is
    preferred in proportion to :math:`e^{d / 2}`, :math:`e^{-d / 2}` and :math:`\nu`, the
    model of Davidson [1]_.

    A tenth of the annotators, rounded up, are careless: half of their votes are by
    chance, each of the three outcomes alike.

    Parameters
    ----------
    n_systems : int, default=8
        Systems, at least 2.
    n_prompts : int, default=60
        Prompts that all systems have answered, at least 1.
    n_votes : int, default=2000
        Votes, at least 1.
    n_metrics : int, default=6
        Metrics of each answer, at least 4.
    n_annotators : int, default=20
        People who vote, at least 1.
    scale : float, default=1.0
        What the weights are multiplied by: larger is easier to see for people.
    tie_parameter : float, default=0.5
        nu, at least 0: how common ties are.
    order_bias : float, default=0.0
        What it adds to d to be shown first, on the left.
    n_unseen : int, default=0
        The last systems, of which nobody sees an answer.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same data on every call.

    Returns
    -------
    arena : Bunch
        With the attributes, where n_samples is ``n_prompts * n_systems``

        data : DataFrame of shape (n_samples, n_metrics), float64
            Metrics of the answers, sorted by prompt and system.
        answers : DataFrame of shape (n_samples, 2)
            Columns `prompt` and `system`, of the rows of `data`.
        votes : DataFrame of shape (n_votes, 5)
            Columns `prompt`, `left`, `right`, `winner` (the name of a system, or "tie")
            and `annotator`.
        groups : structured ndarray of shape (n_samples,)
            Target of ``Groups.from_votes(votes, answers, order=True)``.
        score : ndarray of shape (n_samples,)
            True scores.
        weights : dict of str to float
            True weight of each metric, `scale` included.
        careless : list of str
            Names of the careless annotators.
        feature_names : list of str
            The columns of `data`.
        directions : dict of str to str
            "larger" or "smaller" is better, by column name.
        DESCR : str
            How the data is made.

    Raises
    ------
    ValueError
        If a number is out of range, or `random_state` is no seed.
    TypeError
        If a number is none.

    See Also
    --------
    make_head_challenge : With preferences in place of votes.

    References
    ----------
    .. [1] Davidson, "On extending the Bradley-Terry model to accommodate ties in
       paired comparison experiments", JASA 65, 1970, doi:10.2307/2283595.

    Examples
    --------
    >>> from sklearn_pscore.datasets import make_arena
    >>> arena = make_arena(n_votes=100, random_state=0)
    >>> arena.data.shape, arena.votes.columns.tolist()
    ((480, 6), ['prompt', 'left', 'right', 'winner', 'annotator'])
    """
    least = {
        "n_systems": (n_systems, 2),
        "n_prompts": (n_prompts, 1),
        "n_votes": (n_votes, 1),
        "n_metrics": (n_metrics, len(_WEIGHTS)),
        "n_annotators": (n_annotators, 1),
        "n_unseen": (n_unseen, 0),
    }
    for name, (value, smallest) in least.items():
        _check_count(value, name, smallest)
    if n_systems - n_unseen < 2:
        raise ValueError(
            f"n_unseen is {n_unseen} of {n_systems} systems; expected at most "
            f"{n_systems - 2}, so that two are left to vote on. Lower it."
        )
    _check_number(scale, "scale")
    _check_number(tie_parameter, "tie_parameter")
    _check_number(order_bias, "order_bias", least=-np.inf)
    rng = generator_of(random_state, "make_arena")
    shape = n_prompts, n_systems, n_metrics
    own = rng.standard_normal((n_systems, n_metrics))
    metrics = np.sqrt(_SYSTEM_SHARE) * own
    metrics = metrics + np.sqrt(1 - _SYSTEM_SHARE) * rng.standard_normal(shape)
    weights = np.zeros(n_metrics)
    weights[: len(_WEIGHTS)] = scale * np.array(_WEIGHTS)
    score = metrics @ weights
    names = [f"metric {number}" for number in range(n_metrics)]
    systems = _numbered("system", n_systems)
    prompts = _numbered("prompt", n_prompts)
    annotators = _numbered("annotator", n_annotators)
    n_careless = -(-n_annotators // int(1 / _CARELESS_SHARE))
    votes = _drawn_votes(
        rng, score[:, : n_systems - n_unseen], n_votes, tie_parameter, order_bias
    )
    votes["annotator"] = rng.randint(n_annotators, size=n_votes)
    is_by_chance = rng.uniform(size=n_votes) < 0.5
    is_by_chance &= votes["annotator"] < n_careless
    votes["outcome"] = np.where(
        is_by_chance, rng.randint(3, size=n_votes), votes["outcome"]
    )
    answers = pd.DataFrame(
        {
            "prompt": np.repeat(prompts, n_systems),
            "system": np.tile(systems, n_prompts),
        }
    )
    votes = _votes_table(votes, prompts, systems, annotators)
    return Bunch(
        data=pd.DataFrame(metrics.reshape(-1, n_metrics), columns=names),
        answers=answers,
        votes=votes,
        groups=Groups.from_votes(votes, answers, order=True),
        score=score.ravel(),
        weights=dict(zip(names, weights.tolist(), strict=True)),
        careless=annotators[:n_careless].tolist(),
        feature_names=names,
        directions={
            name: "smaller" if weight < 0 else "larger"
            for name, weight in zip(names, weights, strict=True)
        },
        DESCR=files(__package__).joinpath("arena.rst").read_text(encoding="utf-8"),
    )


def _drawn_votes(rng, score, n_votes, tie_parameter, order_bias):
    """Return numbers of prompts, of the two systems, and outcomes: 0 is left, 2 tie."""
    n_prompts, n_systems = score.shape
    prompt = rng.randint(n_prompts, size=n_votes)
    left = rng.randint(n_systems, size=n_votes)
    right = (left + rng.randint(1, n_systems, size=n_votes)) % n_systems
    d = score[prompt, left] - score[prompt, right] + order_bias
    # Divided by the largest of the three, no exponential is infinite.
    longest = np.abs(d) / 2
    parts = np.stack([np.exp(d / 2 - longest), np.exp(-d / 2 - longest)])
    tie = tie_parameter * np.exp(-longest)
    drawn = rng.uniform(size=n_votes) * (parts.sum(axis=0) + tie)
    outcome = np.where(drawn < parts[0], 0, np.where(drawn < parts.sum(axis=0), 1, 2))
    return {"prompt": prompt, "left": left, "right": right, "outcome": outcome}


def _votes_table(votes, prompts, systems, annotators):
    """Return votes with the names of what they are of."""
    left, right = systems[votes["left"]], systems[votes["right"]]
    outcome = votes["outcome"]
    winner = np.where(outcome == 0, left, np.where(outcome == 1, right, "tie"))
    return pd.DataFrame(
        {
            "prompt": prompts[votes["prompt"]],
            "left": left,
            "right": right,
            "winner": winner,
            "annotator": annotators[votes["annotator"]],
        }
    )


def _numbered(name, n):
    """Return name 0, name 1, ... with zeros that keep text order numeric."""
    width = len(str(n - 1))
    return np.array([f"{name} {number:0{width}d}" for number in range(n)])


def _check_count(value, name, least):
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(
            f"{name} is {value!r}; expected an integer, at least {least}. Pass "
            f"{name}={least} or more."
        )
    if value < least:
        raise ValueError(
            f"{name} is {value}; expected at least {least}. Pass {name}={least} or more."
        )


def _check_number(value, name, least=0.0):
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(
            f"{name} is {value!r}; expected a number. Pass for example {name}=1.0."
        )
    if not (np.isfinite(value) and value >= least):
        bound = "" if least == -np.inf else f", at least {least:g}"
        raise ValueError(
            f"{name} is {value}; expected a finite number{bound}. Pass for example "
            f"{name}=1.0."
        )
