"""What a net is saved as, arrays and plain values, and the way back."""

from types import SimpleNamespace

import numpy as np
import torch

from sklearn_pscore._torch.history import columns_of, history_of, names_of_numbers
from sklearn_pscore._torch.inputs import Bends, InputScaling
from sklearn_pscore._torch.losses.positions import PositionTerms
from sklearn_pscore._torch.net import new_net

# Parameters of the last training that a net has, beside those of its network.
_OF_TRAINING = (
    "loss",
    "k",
    "ties",
    "learning_rate_init",
    "weight_decay",
    "batch_size",
    "verbose",
    "device",
    "predict_dtype",
)
# What AdamW has of each weight.
_OF_ADAMW = "step", "exp_avg", "exp_avg_sq"


def state_of(net, kept_columns):
    """Return a net as arrays and plain values.

    The parameters of its network are kept by the ranker, and callbacks by nobody:
    each training has new ones.

    Parameters
    ----------
    net : GroupNet
    kept_columns : container of str
        Values of the history that the ranker keeps.

    Returns
    -------
    state : dict
        `weights` is a structured array of a single record: those of the module by
        name, buffers included. `optimizer` is None where training would start it anew.
    """
    parameters = vars(net.module__parameters)
    names = [n for n in names_of_numbers(net.history) if n not in kept_columns]
    return {
        "parameters": {name: parameters[name] for name in _OF_TRAINING},
        "weights": _record(net.module_.state_dict()),
        "n_folds": net.n_folds,
        "std_factor": net.std_factor,
        "history": columns_of(net.history, names),
        "optimizer": _optimizer_state(net) if net.optimizer_.state else None,
        "optimizer_settings": _optimizer_settings(net.optimizer_),
    }


def net_of(state, network, columns, device):
    """Return the net that :func:`state_of` has saved, without its callbacks.

    Parameters
    ----------
    state : dict
    network : dict
        Parameters of its network.
    columns : dict of ndarray
        The columns of the history that the ranker keeps.
    device : str
        Where the net goes.
    """
    # Files of before votes have neither.
    votes = {"has_votes": False, "order_bias": False}
    known = {
        "callbacks": [],
        **votes,
        **network,
        **state["parameters"],
        "device": device,
    }
    parameters, weights = SimpleNamespace(**known), _tensors(state["weights"])
    n_features = len(weights["scaling.shift"])
    scaling = InputScaling(
        *(weights[f"scaling.{name}"] for name in ("shift", "scale", "unit")),
        parameters.input_clip,
    )
    bends = None
    if parameters.shortcut == "additive":
        bends = Bends(np.zeros((parameters.n_pieces + 1, n_features)))
    missing_features = weights.get("shortcut.missing_features", ())
    terms = None
    if "position_terms.position" in weights:
        terms = PositionTerms(
            *(weights[f"position_terms.{name}"] for name in ("position", "part"))
        )
    net = new_net(
        scaling, bends, parameters, torch.Generator(), missing_features, terms
    )
    net.module_.load_state_dict(weights)
    # As after a training.
    net.module_.eval()
    net.n_folds, net.std_factor = state["n_folds"], state["std_factor"]
    net.history_ = history_of({**columns, **state["history"]})
    groups = net.optimizer_.param_groups
    for group, settings in zip(groups, state["optimizer_settings"], strict=True):
        group.update(settings)
    if state["optimizer"] is not None:
        _set_optimizer_state(net, state["optimizer"])
    return net


def _optimizer_state(net):
    """Return what AdamW has of each weight that ever had a gradient."""
    of_weight = {
        name: net.optimizer_.state[weight]
        for name, weight in net.module_.named_parameters()
        if weight in net.optimizer_.state
    }
    return {
        key: _record({name: values[key] for name, values in of_weight.items()})
        for key in _OF_ADAMW
    }


def _set_optimizer_state(net, state):
    of_weight = {key: _tensors(state[key], net.device) for key in _OF_ADAMW}
    for name in state["step"].dtype.names:
        net.optimizer_.state[net.module_.get_parameter(name)] = {
            key: values[name] for key, values in of_weight.items()
        }


def _optimizer_settings(optimizer):
    """Return the settings of each group of weights that are not the optimiser's own.

    A schedule changes some, and leaves notes for the next one among them.
    """
    return [
        {
            name: value
            for name, value in group.items()
            if name != "params" and value != optimizer.defaults.get(name)
        }
        for group in optimizer.param_groups
    ]


def _record(tensors):
    """Return a dict of tensors as one structured array, which takes little room."""
    arrays = {name: value.detach().cpu().numpy() for name, value in tensors.items()}
    fields = [(name, each.dtype, each.shape) for name, each in arrays.items()]
    record = np.empty((), dtype=fields)
    for name, each in arrays.items():
        record[name] = each
    return record


def _tensors(record, device="cpu"):
    """Return the fields of a structured array as tensors, by name."""
    # Copies: the array of a file may be read-only, and its fields are not aligned.
    return {
        name: torch.from_numpy(record[name].copy()).to(device)
        for name in record.dtype.names
    }
