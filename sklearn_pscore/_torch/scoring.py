"""Scores of a trained net: of each member, and their mean."""

from collections.abc import Mapping
from copy import copy

import numpy as np
import torch
from scipy.sparse import issparse
from skorch.utils import to_numpy

from sklearn_pscore._rows import dense_rows, rows_at_a_time
from sklearn_pscore._torch.packing import PackedGroups
from sklearn_pscore._torch.thin import ThinRows, is_thin
from sklearn_pscore._torch.threads import threads_for

# Rows to score at a time, fewer of many features. No benchmark varies it.
_ROWS_AT_A_TIME = 2**13
# With "auto", the scores of more rows than this are of products in float32. Not measured
# by a benchmark.
MOST_IN_FLOAT64 = 2**13


def members_dtype(dtype):
    """Return the type of torch in which the scores of single members are computed."""
    return getattr(torch, "float64" if dtype == "auto" else dtype)


def mean_scores(net, X, dtype, look=None):
    """Return the mean of the members' scores, (n_rows,), float64.

    Parameters
    ----------
    net : GroupNet
    X : ndarray or CSR matrix of shape (n_rows, n_features), float32 or float64
    dtype : {"auto", "float64", "float32"}
    look : callable or None, default=None
        Called if entries may be infinite, to raise an error. None is for a table without.
    """
    if not is_thin(X):
        kind = members_dtype(dtype)
        if dtype == "auto" and X.shape[0] > MOST_IN_FLOAT64:
            kind = torch.float32
        folded = net.folded(kind)
        if folded is None and dtype == "auto":
            folded = net.folded(torch.float64)
        if folded is not None:
            return folded.scores(X, look)
    if look is not None:
        look()
    return member_scores(net, X, dtype).mean(axis=0)


def member_scores(net, X, dtype):
    """Return the members' scores, computed in `dtype`, (n_members, n_rows) float64.

    Rows are scored in chunks, so that the memory beside `X` is bounded.
    """
    scores = np.empty((net.module_.n_members, X.shape[0]), dtype=np.float64)
    threads = threads_for(min(X.shape[0], _ROWS_AT_A_TIME), net.module_)
    with torch.inference_mode(), threads:
        module = scoring_copy(net.module_, members_dtype(dtype))
        for rows, chunk in chunks(X, net.device):
            scores[:, rows] = module(chunk).cpu().numpy()
    return scores


def chunks(X, device):
    """Yield slices of the rows of a table, each with its rows as a tensor."""
    n_rows, thin = X.shape[0], is_thin(X)
    n_at_a_time = _ROWS_AT_A_TIME
    if not thin:
        n_at_a_time = rows_at_a_time(X.shape[1], _ROWS_AT_A_TIME)
    for first in range(0, n_rows, n_at_a_time):
        rows = slice(first, first + n_at_a_time)
        # A copy in C order: torch takes no negative strides, and warns of arrays
        # that it could not write to.
        chunk = ThinRows.of(X[rows]) if thin else torch.from_numpy(dense_rows(X, rows))
        yield rows, chunk.to(device)


def features_of(X, n_features):
    """Return what a callback asks scores for as a table of float32 or float64."""
    if isinstance(X, PackedGroups):
        return X.X
    if isinstance(X, Mapping):
        X = X["X"]
    if issparse(X):
        X = X.tocsr()
    else:
        X = to_numpy(X) if isinstance(X, torch.Tensor) else np.asarray(X)
    if X.ndim != 2 or X.shape[1] != n_features:
        raise ValueError(
            f"X has shape {X.shape}; expected (n_rows, {n_features}), the features that "
            "the net was trained on. Reshape a single row with X.reshape(1, -1)."
        )
    return X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)


def spread_of_members(net, scores):
    """Return the standard error of each item, or what members differ without folds.

    Parameters
    ----------
    net : GroupNet
    scores : ndarray of shape (n_members, n_items)
    """
    if net.n_folds:
        return net.std_factor * scores[: net.n_folds].std(axis=0, ddof=1)
    return scores.std(axis=0, ddof=1 if len(scores) > 1 else 0)


def scoring_copy(module, dtype):
    """Return a copy of a module in evaluation mode, its values in `dtype`.

    The module itself stays as it is, so that any number of threads may score.
    Values that are in `dtype` already are shared with it.
    """
    copied = copy(module)
    attributes = vars(copied)
    attributes["training"] = False
    for kind in ("_parameters", "_buffers"):
        attributes[kind] = {
            name: value.to(dtype) if value.is_floating_point() else value
            for name, value in attributes[kind].items()
        }
    attributes["_modules"] = {
        # The scaling computes in the type of X, whatever comes after.
        name: part if name == "scaling" else scoring_copy(part, dtype)
        for name, part in attributes["_modules"].items()
    }
    return copied
