"""What each parameter may be, and values of all types to try.

It is written down here once more, apart from the package's own constraints. A rule
returns the plain value that a value stands for, or raises Meaningless.
"""

from contextlib import suppress
from datetime import date
from numbers import Integral, Real

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier

from benchmarks.reliability.case import Meaningless

VALUES = (
    None,
    True,
    False,
    0,
    1,
    2,
    3,
    -1,
    10**30,
    -(10**30),
    2**63,
    0.0,
    -0.0,
    0.5,
    1.0,
    1.5,
    -0.5,
    5e-324,
    1e-30,
    1e308,
    np.nan,
    np.inf,
    -np.inf,
    1j,
    np.int64(3),
    np.uint8(2),
    np.float16(0.5),
    np.float32(0.25),
    np.bool_(True),
    np.array(2),
    np.array([1, 2]),
    np.array([0.5]),
    np.str_("auto"),
    "",
    "auto",
    "foo",
    "2",
    "NONE",
    "é",
    b"auto",
    [],
    (),
    {},
    [1],
    [1, 2],
    (4,),
    (2, 3),
    (2, 2),
    [0, 1, -1],
    [1.5, 0, 0],
    ["a"],
    [None],
    {"a": 1},
    {2},
    {"a"},
    range(2),
    object(),
    object,
    len,
    date(2020, 1, 1),
    ...,
    [[4]],
    np.ma.masked,
    "float16",
    "float32",
    "cuda:99",
    "cpu",
    "larger",
    "smaller",
    ["larger", "smaller", "nearest_zero"],
    ("larger",) * 3,
    ["up"] * 3,
    "linear",
    DecisionTreeClassifier(random_state=0),
    DecisionTreeClassifier,
    LinearRegression(),
    DummyClassifier(),
    np.random.RandomState,
    np.random.default_rng(0),
)
# These many units, networks or passes are asked for, and would take for ever.
_SLOW = 1000


class AnotherValue(Exception):
    """The value says nothing in a case: it takes too long, or draws at random."""


def _count(least, *, slow=False, **words):
    def plain(value):
        if isinstance(value, Integral) and value >= least:
            if slow and value > _SLOW:
                raise AnotherValue
            return int(value)
        return _word(**words)(value)

    return plain


def _verbose(value):
    # As scikit-learn has it: a truth of numpy is one, too.
    return _count(0)(bool(value) if isinstance(value, np.bool_) else value)


def _real(test, **words):
    def plain(value):
        if isinstance(value, Real) and np.isfinite(float(value)) and test(value):
            return float(value)
        return _word(**words)(value)

    return plain


def _word(*, words=(), none=False):
    def plain(value):
        if value is None and none:
            return None
        if isinstance(value, str) and value in words:
            return str(value)
        raise Meaningless(f"{value!r:.50}")

    return plain


def _boolean(value):
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise Meaningless(f"{value!r:.50}")


def _sizes(least, words=()):
    def plain(value):
        if isinstance(value, str):
            return _word(words=words)(value)
        # A set has no order, but one of a single size needs none.
        with suppress(TypeError):
            sizes = tuple(value)
            is_dict = isinstance(value, dict) and value
            if is_dict or len(set(map(repr, sizes))) < len(sizes):
                raise Meaningless("a dict, or a size twice")
            is_size = [
                isinstance(n, Integral) and not isinstance(n, bool) for n in sizes
            ]
            if all(is_size) and all(n >= least for n in sizes):
                return tuple(map(int, sizes))
        raise Meaningless(f"{value!r:.50}")

    return plain


def _hidden_sizes(value):
    if isinstance(value, (list, tuple)) and list(value) == [2, 2]:
        return (2, 2)
    return _sizes(1)(value)


def _signs(value):
    if value is None:
        return None
    is_list = isinstance(value, (list, tuple, range, np.ndarray))
    if (
        is_list
        and np.shape(value) == (3,)
        and all(sign in (-1, 0, 1) for sign in value)
    ):
        return tuple(map(int, value))
    # A dict without names constrains nothing.
    raise Meaningless(f"{value!r:.50}")


def _directions(value):
    words = ("larger", "smaller", "nearest_zero")
    if value is None or (isinstance(value, str) and value in words):
        return value
    if (
        isinstance(value, (list, tuple))
        and len(value) == 3
        and set(value) <= set(words)
    ):
        return list(value)
    raise Meaningless(f"{value!r:.50}")


def _seed(value):
    if isinstance(value, Integral) and 0 <= value < 2**32:
        return int(value)
    if value is None or isinstance(value, type(np.random.RandomState())):
        raise AnotherValue
    raise Meaningless(f"{value!r:.50}")


def _classifier(value):
    if value is None or isinstance(value, (DecisionTreeClassifier, DummyClassifier)):
        return value
    raise Meaningless(f"{value!r:.50}")


def _no_callbacks(value):
    if value is None or (isinstance(value, list) and not value):
        return None
    raise Meaningless(f"{value!r:.50}")


def _share(value):
    return 0 <= value < 1


def _positive(value):
    return value > 0


RULES = {
    "PairwisePreferenceRanker": {
        "hidden_layer_sizes": _hidden_sizes,
        "loss": _word(words=("ranknet", "lambdarank", "listnet")),
        "k": _count(1, none=True),
        "gain": _word(words=("rank", "linear", "exponential")),
        "shortcut": _word(words=("additive", "linear"), none=True),
        "n_pieces": _count(1, slow=True),
        "output_activation": _word(words=("relu6", "identity")),
        "batch_norm": _boolean,
        "dropout": _real(_share),
        "input_dropout": _real(_share),
        "input_clip": _real(_positive, none=True),
        "monotonic_cst": _signs,
        "n_members": _count(1, slow=True),
        "leave_out": _boolean,
        "max_epochs": _count(1, slow=True, words=("auto",)),
        "learning_rate_init": _real(_positive),
        "learning_rate": _word(words=("one_cycle", "constant")),
        "weight_decay": _real(lambda value: value >= 0),
        "batch_size": _count(2, words=("auto",)),
        "early_stopping": _boolean,
        "scoring": _word(words=("loss",), none=True),
        "validation_fraction": _real(lambda value: 0 < value < 1),
        "n_iter_no_change": _count(1),
        "warm_start": _boolean,
        "callbacks": _no_callbacks,
        "random_state": _seed,
        "verbose": _verbose,
        "device": _word(words=("cpu",)),
        "predict_dtype": _word(words=("auto", "float64", "float32")),
    },
    "LevelClassifierRanker": {
        "classifier": _classifier,
        "n_levels": _count(2, none=True),
        "output": _word(words=("expected", "label")),
        "random_state": _seed,
    },
    "LinearPreferenceRanker": {
        "C": _real(lambda value: 1e-12 <= float(value) <= 1e12, words=("cv",)),
        "ties": _word(words=("ignore", "half")),
    },
    "SingleMetricRanker": {
        "feature": _count(0, none=True),
        "direction": _word(
            words=("auto", "learn", "larger", "smaller", "nearest_zero")
        ),
    },
    "RankSumRanker": {"directions": _directions},
    "TopCountRanker": {"directions": _directions},
    "PairAugmenter": {
        "stitch_sizes": _sizes(2, words=("auto",)),
        "max_stitched": _count(0, none=True),
        "stitch_penalty": _real(lambda value: True),
        "stitched_preference": _word(words=("max", "mean")),
        "n_injected": _count(0, words=("auto",), none=True),
        "injected_penalty": _real(lambda value: True),
        "random_state": _seed,
    },
    "make_head_challenge": {
        "track": _word(words=("talking", "listening")),
        "n_challenges": _count(1, slow=True),
        "n_systems": _count(2, slow=True),
        "n_clips": _count(1, slow=True),
        "weights": _word(words=("planted", "equal")),
        "noise": _real(lambda value: value >= 0),
        "random_state": _seed,
    },
}
