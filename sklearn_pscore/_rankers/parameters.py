"""The ranker's parameters: checked, and resolved for the data at hand."""

from copy import deepcopy
from numbers import Integral, Real
from types import SimpleNamespace

import numpy as np

from sklearn_pscore._estimators.parameters import check_parameters
from sklearn_pscore._rankers.validation_score import check_scoring
from sklearn_pscore._rows import rows_at_a_time

# May change between a training and one that goes on from it. All others make up
# the network: a new parameter does until it is named here.
_CHANGEABLE = {
    "loss",
    "k",
    "gain",
    "ties",
    "group_weight",
    "leave_out",
    "max_epochs",
    "learning_rate_init",
    "learning_rate",
    "weight_decay",
    "batch_size",
    "early_stopping",
    "scoring",
    "validation_fraction",
    "n_iter_no_change",
    "warm_start",
    "callbacks",
    "random_state",
    "verbose",
    "device",
    "predict_dtype",
}
# batch_size="auto" is a hundredth of the rows, within these, or fewer of many features.
# No benchmark varies it.
_BATCH_ROWS = (200, 4096)
# max_epochs="auto" is clip(30, 300 / batches, min(3000 / batches, 10**6 / rows)), at
# least 5. No benchmark varies them; large_ranking.py in benchmarks/speed has fewer epochs
# beside "auto".
_EPOCHS, _FEWEST_EPOCHS = 30, 5
_FEWEST_STEPS, _MOST_STEPS, _MOST_ROWS = 300, 3000, 10**6


def check_training_parameters(ranker, caller, validates=False):
    """Check the parameters of a ranker that learns, as far as it goes without data.

    Parameters
    ----------
    ranker : estimator
    caller : str
        Name of the method that trains.
    validates : bool, default=False
        Whether it has a validation set.
    """
    from sklearn_pscore._torch.callbacks import check_callbacks
    from sklearn_pscore._torch.device import check_device

    check_parameters(ranker)
    check_layers(ranker.hidden_layer_sizes)
    if ranker.ties == "half" and ranker.loss != "ranknet":
        raise ValueError(
            f'ties="half" with loss={ranker.loss!r}, in which ties have no part; expected '
            'loss="ranknet". Set ties="ignore", or that loss.'
        )
    check_scoring(ranker.scoring)
    check_device(ranker.device)
    has_score = not isinstance(ranker.scoring, str)
    check_callbacks(ranker.callbacks, validates, has_score, caller)


def resolve_parameters(ranker, n_rows, votes=None):
    """Return the parameters of a ranker, each resolved for the data at hand.

    They are passed on whole, so a parameter is named in the ranker and where it
    is used, and nowhere in between.

    Parameters
    ----------
    ranker : estimator
        With `n_features_in_`, and `feature_names_in_` if the features have names.
    n_rows : int
        Rows to train on in an epoch, for "auto".
    votes : PairVotes or None, default=None
        Votes between the rows.

    Returns
    -------
    parameters : SimpleNamespace
        Has the names of the ranker's parameters, and `has_votes`. `callbacks` are
        copies.
    """
    given = ranker.get_params(deep=False)
    parameters = SimpleNamespace(
        **{name: _plain(value, _is_real(ranker, name)) for name, value in given.items()}
    )
    parameters.hidden_layer_sizes = tuple(map(int, parameters.hidden_layer_sizes))
    parameters.monotonic_cst = resolve_monotonic_cst(
        parameters.monotonic_cst,
        ranker.n_features_in_,
        getattr(ranker, "feature_names_in_", None),
    )
    parameters.batch_size = resolve_batch_size(
        parameters.batch_size, n_rows, ranker.n_features_in_
    )
    parameters.max_epochs = resolve_epochs(
        parameters.max_epochs, n_rows, parameters.batch_size
    )
    parameters.callbacks = deepcopy(parameters.callbacks) or []
    parameters.ties = resolve_ties(parameters.ties, votes)
    parameters.has_votes = votes is not None
    return parameters


def resolve_ties(ties, votes):
    """Return what becomes of ties: "auto" is "davidson" where votes have some."""
    if ties != "auto":
        return ties
    return "davidson" if votes is not None and votes.ties.any() else "ignore"


def _plain(value, is_real):
    """Return a number or str of NumPy as Python's, and an integer as one of 64 bits.

    NumPy's small integers overflow in arithmetic, and torch takes none that is
    longer. An integer for what may be any real number is a float.
    """
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, Integral) and not is_real:
        return min(int(value), np.iinfo(np.int64).max)
    if isinstance(value, (Integral, np.floating)):
        return float(value)
    return str(value) if isinstance(value, str) else value


def _is_real(ranker, name):
    """Tell whether a parameter may be any real number of an interval."""
    constraints = ranker._parameter_constraints[name]
    return any(getattr(constraint, "type", None) is Real for constraint in constraints)


def network_of(parameters):
    """Return the parameters that a trained network cannot change any more."""
    unused = set() if parameters.shortcut == "additive" else {"n_pieces"}
    return {
        name: value
        for name, value in vars(parameters).items()
        if name not in _CHANGEABLE | unused
    }


def check_same_network(ranker, parameters, trained):
    """Raise ValueError if the parameters are of another network than the trained.

    Parameters
    ----------
    ranker : estimator
        Its own parameters are shown in the message.
    parameters : namespace
        Resolved parameters of the ranker.
    trained : dict
        The result of :func:`network_of` in the last training.
    """
    if parameters.has_votes != trained.get("has_votes", False):
        known = {True: "votes", False: "preferences"}
        raise ValueError(
            f"The target has {known[parameters.has_votes]}, but the fitted network has "
            f"learnt from {known[not parameters.has_votes]}; warm_start and partial_fit go "
            "on with the same kind. Set warm_start=False and fit anew, or clone the "
            "estimator."
        )
    for name, value in network_of(parameters).items():
        if value != trained.get(name, value):
            raise ValueError(
                f"{name}={getattr(ranker, name)!r} but the fitted network has "
                f"{trained[name]!r}; warm_start and partial_fit go on with the same "
                "network. Set warm_start=False and fit anew, or clone the estimator."
            )


def resolve_batch_size(batch_size, n_rows, n_features=1):
    """Return the rows per step."""
    if batch_size != "auto":
        return int(batch_size)
    smallest, largest = _BATCH_ROWS
    most = max(2, rows_at_a_time(n_features, largest))
    return min(max(n_rows // 100, smallest), most)


def resolve_epochs(max_epochs, n_rows, batch_size):
    """Return the number of passes over the data."""
    if max_epochs != "auto":
        return int(max_epochs)
    n_batches = -(-n_rows // batch_size)
    n_steps = min(max(_EPOCHS * n_batches, _FEWEST_STEPS), _MOST_STEPS)
    n_epochs = min(-(-n_steps // n_batches), -(-_MOST_ROWS // n_rows))
    return max(n_epochs, _FEWEST_EPOCHS)


def check_layers(sizes):
    """Raise ValueError unless all sizes of layers are numbers of units."""
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, Integral) or size < 1:
            raise ValueError(
                f"hidden_layer_sizes holds {size!r}; expected integers >= 1, the units of "
                "each hidden layer. Use hidden_layer_sizes=() for a linear score."
            )


def resolve_monotonic_cst(monotonic_cst, n_features, feature_names):
    """Return the constraint of each feature as a tuple of -1, 0, 1, or None.

    Parameters
    ----------
    monotonic_cst : array-like of shape (n_features,), dict of str to int, or None
    n_features : int
    feature_names : ndarray of str or None

    Raises
    ------
    ValueError
        If the constraints do not fit the features.
    """
    if monotonic_cst is None:
        return None
    if isinstance(monotonic_cst, dict):
        constraints = _in_order_of_features(monotonic_cst, feature_names)
    else:
        constraints = np.asarray(monotonic_cst)
        if constraints.shape != (n_features,):
            raise ValueError(
                f"monotonic_cst has shape {constraints.shape} but X has {n_features} "
                "features; expected one of -1, 0, 1 for each. Pass a dict of names to "
                "constrain only some."
            )
    wrong = [sign for sign in constraints if sign not in (-1, 0, 1)]
    if wrong:
        raise ValueError(
            f"monotonic_cst holds {wrong[0]!r}; expected -1 (larger never raises the "
            "score), 0 (no constraint) or 1 (larger never lowers it)."
        )
    signs = tuple(int(sign) for sign in constraints)
    return signs if any(signs) else None


def _in_order_of_features(constraints, feature_names):
    """Return the constraint of each feature from a dict by names, 0 if not named."""
    if feature_names is None:
        raise ValueError(
            "monotonic_cst is a dict of feature names but X has no names; expected a "
            "DataFrame. A scaler before this in a Pipeline drops the names: keep them "
            'with StandardScaler().set_output(transform="pandas"), or pass one '
            "constraint per feature as an array."
        )
    names = list(feature_names)
    for name in constraints:
        if name not in names:
            raise ValueError(
                f"monotonic_cst names {name!r}, which is not among the features {names}. "
                "Name one of these."
            )
    return [constraints.get(name, 0) for name in names]
