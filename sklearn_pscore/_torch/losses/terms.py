"""Terms of a loss beside the scores: the best ones for given scores."""

import numpy as np
import torch
from scipy.optimize import minimize

from sklearn_pscore._torch.linear import product, scores_of

# float32 does not tell what is above e**30 times as likely.
_LARGEST_TERM = 30.0


def fit_terms(criterion, scores, target, X=None, penalty=0.0):
    """Set the terms of a loss to those that are best for some scores.

    Parameters
    ----------
    criterion : nn.Module
        `free_terms` returns its terms. It is convex in them.
    scores : tensor of shape (n_items,)
    target : PackedTarget
    X : tensor or CSR matrix of shape (n_items, n_columns), default=None
        Columns of which a weighted sum is added to the scores, with the weights that are
        best together with the terms, and dropped.
    penalty : float, default=0.0
        Ridge penalty of the weights.
    """
    terms = criterion.free_terms()
    if not terms:
        return
    fixed, n_weights = scores.detach(), 0 if X is None else X.shape[1]

    def set_terms(values):
        parts = np.split(values, np.cumsum([term.numel() for term in terms])[:-1])
        with torch.no_grad():
            for term, part in zip(terms, parts, strict=True):
                term.copy_(torch.from_numpy(part))
                term.grad = None

    def mean_loss(values):
        weights = values[:n_weights]
        set_terms(values[n_weights:])
        scores = fixed if X is None else fixed + scores_of(X, weights)
        scores = scores.requires_grad_(X is not None)
        loss = criterion(scores, target)
        loss.backward()
        slopes = [] if X is None else [product(scores.grad, X) + penalty * weights]
        slopes += [term.grad.double().numpy() for term in terms]
        ridge = penalty / 2 * (weights @ weights)
        return float(loss.detach()) + ridge, np.concatenate(slopes)

    start = torch.cat([term.detach().double() for term in terms]).numpy()
    start = np.concatenate([np.zeros(n_weights), start])
    bounds = [(None, None)] * n_weights
    bounds += [(-_LARGEST_TERM, _LARGEST_TERM)] * (len(start) - n_weights)
    best = minimize(mean_loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    set_terms(best.x[n_weights:])
