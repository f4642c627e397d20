"""Rows of features and target: their number, which must be the same."""

from sklearn_pscore._target.columns import refuse_lazy


def count_rows(values, name):
    """Return the number of rows of an array, sparse matrix, DataFrame or list."""
    refuse_lazy(values, name)
    shape = getattr(values, "shape", None)
    if shape:
        return shape[0]
    is_text = isinstance(values, (str, bytes))
    if is_text or shape == () or not hasattr(values, "__len__"):
        raise TypeError(
            f"{name} is {type(values).__name__}; expected one row per sample. Pass an "
            "array, a list or a DataFrame."
        )
    return len(values)


def check_same_rows(groups, X, name="groups"):
    """Raise ValueError unless a target has one entry for each row of X.

    Parameters
    ----------
    groups : structured ndarray or array-like of shape (n_rows,)
    X : array-like, sparse matrix or DataFrame of shape (n_rows, n_features)
    name : str, default="groups"
        Name of the target, for the messages.
    """
    check_n_rows(count_rows(groups, name), count_rows(X, "X"), name)


def check_n_rows(n_entries, n_rows, name):
    """Raise ValueError unless a target of `n_entries` goes with `n_rows` rows of X."""
    if n_entries != n_rows:
        raise ValueError(
            f"{name} has {n_entries} entries but X has {n_rows} rows; expected one entry "
            "per row. Take both from the same rows. Group sizes (LightGBM style) become "
            "labels by group=np.repeat(np.arange(len(sizes)), sizes)."
        )
