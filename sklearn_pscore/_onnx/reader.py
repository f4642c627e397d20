"""Scores from the ONNX file of a ranker, without torch."""

import json
from pathlib import Path

import numpy as np
from sklearn.utils import check_array

from sklearn_pscore._target.arguments import explained_call
from sklearn_pscore._target.check import check_groups
from sklearn_pscore._target.rows import count_rows
from sklearn_pscore._target.tables import check_numbers
from sklearn_pscore._warn import warn_user
from sklearn_pscore.metrics import rank_items

# Rows to score at a time, so that memory beside X is bounded.
_ROWS_AT_A_TIME = 2**13


class OnnxRanker:
    """Score rows from a file of :func:`to_onnx`; needs onnxruntime, and no torch.

    Larger scores are preferred, as everywhere: see ``docs/conventions.md``.

    Parameters
    ----------
    path : str or path
        The file.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns that the ranker was fitted to.

    feature_names_in_ : ndarray of shape (n_features_in_,), str
        Their names, if they had any.

    version_ : str
        Version of this package that wrote the file. The graph holds all that scores
        depend on, so any version reads it.

    Raises
    ------
    ValueError
        If the file is no ONNX file, or not one of :func:`to_onnx`.
    FileNotFoundError
        If there is no such file.
    ImportError
        If onnxruntime is not installed.

    See Also
    --------
    to_onnx : Writes such a file.

    Examples
    --------
    >>> from sklearn_pscore import OnnxRanker
    >>> scores = OnnxRanker("ranker.onnx").predict(df)  # doctest: +SKIP
    """

    def __init__(self, path):
        self.path = path
        self._session, known = _opened(path)
        self._input = self._session.get_inputs()[0]
        self.version_ = known["sklearn_pscore_version"]
        self.n_features_in_ = int(known["n_features"])
        self._allow_nan = json.loads(known["allow_nan"])
        names = json.loads(known["feature_names"])
        if names is not None:
            self.feature_names_in_ = np.array(names, dtype=object)

    def __repr__(self):
        return f"OnnxRanker({str(self.path)!r})"

    def __reduce__(self):
        return OnnxRanker, (self.path,)

    @explained_call
    def predict(self, X):
        """Score items; larger is preferred.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metrics, with the columns that the ranker was fitted to in their order.

        Returns
        -------
        y_score : ndarray of shape (n_samples,), float64
            One score per row, which depends on no other row.

        Raises
        ------
        ValueError
            If `X` has other columns, or a value that the ranker cannot take.
        """
        X = self._checked(X)
        scores = np.empty(len(X))
        kind = np.float64 if self._input.type == "tensor(double)" else np.float32
        for first in range(0, len(X), _ROWS_AT_A_TIME):
            rows = slice(first, first + _ROWS_AT_A_TIME)
            part = {self._input.name: X[rows].astype(kind, copy=False)}
            (scores[rows],) = self._session.run(["score"], part)
        if not np.isfinite(scores).all():
            row = np.flatnonzero(~np.isfinite(scores))[0]
            raise ValueError(
                f"The score of row {row} is {scores[row]}; expected finite scores. X has "
                f"{np.isnan(X[row]).sum()} missing values in that row, and numbers up to "
                f"{np.nanmax(np.abs(X[row]), initial=0):.2g} in size, which the ranker "
                "cannot take: drop the row."
            )
        return scores

    @explained_call
    def rank(self, X, groups):
        """Rank the items of each group, 1 is best.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metrics.
        groups : structured ndarray of shape (n_samples,)
            Target of :class:`Groups`; preferences are not needed.

        Returns
        -------
        ranks : ndarray of shape (n_samples,), float
            See :func:`~sklearn_pscore.metrics.rank_items`.
        """
        check_groups(
            groups,
            n_rows=count_rows(X, "X"),
            allow_plain=False,
            require_preference=False,
            caller="OnnxRanker.rank",
        )
        return rank_items(groups, self.predict(X))

    def _checked(self, X):
        """Return a table of the right columns as a C-ordered array of float64."""
        check_numbers(X)
        self._check_names(X)
        X = check_array(
            X, dtype=np.float64, order="C", ensure_all_finite=False, input_name="X"
        )
        if X.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {X.shape[1]} columns but {self!r} is of {self.n_features_in_}; "
                f"expected the same{self._named()}."
            )
        if np.isfinite(X).all():
            return X
        is_bad = np.isinf(X) if self._allow_nan else ~np.isfinite(X)
        if is_bad.any():
            row, column = np.argwhere(is_bad)[0]
            raise ValueError(
                f"X contains {X[row, column]} at row {row}, column {column}; expected "
                f"finite numbers{', or NaN' if self._allow_nan else ''}. Drop the row."
            )
        return X

    def _check_names(self, X):
        """Raise ValueError if the columns of a table have other names, or another order."""
        expected = list(getattr(self, "feature_names_in_", ()))
        names = getattr(X, "column_names", getattr(X, "columns", None))
        if not expected:
            return
        if names is None:
            warn_user(
                f"X has no column names, but {self!r} was made of {expected}. Pass a "
                "DataFrame, so that their order can be checked."
            )
            return
        names = list(names)
        if names == expected:
            return
        unknown = [name for name in names if name not in expected]
        missing = [name for name in expected if name not in names]
        differences = [
            text
            for text, which in (
                (f"unknown are {unknown}", unknown),
                (f"missing are {missing}", missing),
            )
            if which
        ]
        raise ValueError(
            f"X has other columns than {self!r}: "
            f"{', '.join(differences) or 'their order differs'}; expected {expected}, but "
            f"X has {names}. Pass X[ranker.feature_names_in_] of the table that has them."
        )

    def _named(self):
        names = getattr(self, "feature_names_in_", None)
        return "" if names is None else f": {list(names)}"


def _opened(path):
    """Return the session of a file and what it says of itself."""
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            f"OnnxRanker needs onnxruntime ({error}). Install it with: "
            'pip install "sklearn-pscore[onnx]".'
        ) from error
    data = Path(path).read_bytes()
    try:
        session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ValueError(
            f"{str(path)!r} cannot be read as ONNX ({str(error).splitlines()[0]:.200}); "
            "expected a file of sklearn_pscore.to_onnx."
        ) from error
    known = session.get_modelmeta().custom_metadata_map
    if "sklearn_pscore_version" not in known:
        raise ValueError(
            f"{str(path)!r} is an ONNX file, but does not say which columns it takes; "
            "expected one of sklearn_pscore.to_onnx. Score others with onnxruntime itself."
        )
    return session, known
