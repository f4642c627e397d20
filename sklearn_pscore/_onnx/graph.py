"""Nodes of an ONNX graph, added one after the other."""

import numpy as np

# Of a tensor, in ONNX.
_DOUBLE, _INT64 = 11, 7


class Graph:
    """The part of a graph that one estimator is, in float64.

    Parameters
    ----------
    scope, container
        Of skl2onnx: names, and the place for the nodes.
    """

    def __init__(self, scope, container):
        self._scope = scope
        self._container = container

    def node(self, kind, *inputs, output=None, **attributes):
        """Add a node; return the name of its output.

        Parameters
        ----------
        kind : str
            Operator of ONNX.
        *inputs : str or ndarray
            Names, or values that become constants.
        output : str or None, default=None
            Its name, None for a new one.
        **attributes
            Of the operator.
        """
        names = [
            each if isinstance(each, str) else self._constant(each) for each in inputs
        ]
        output = output or self._scope.get_unique_variable_name(f"ps_{kind.lower()}")
        self._container.add_node(
            kind,
            names,
            [output],
            name=self._scope.get_unique_operator_name(f"ps_{kind}"),
            **attributes,
        )
        return output

    def double(self, name):
        """Return a value as float64."""
        return self.node("Cast", name, to=_DOUBLE)

    def columns(self, name, numbers):
        """Return some columns of a table."""
        return self.node("Gather", name, np.array(numbers, dtype=np.int64), axis=1)

    def joined(self, names):
        """Return tables side by side, as one of float64."""
        names = [self.double(name) for name in names]
        return names[0] if len(names) == 1 else self.node("Concat", *names, axis=1)

    def filled(self, name, values):
        """Return a table with values, one for all or one per column, in place of NaN."""
        values = np.asarray(values, dtype=np.float64)
        return self.node("Where", self.node("IsNaN", name), values, name)

    def is_missing(self, name):
        """Return 1 for NaN and 0 for a number."""
        return self.double(self.node("IsNaN", name))

    def _constant(self, values):
        """Return the name of a constant; weights of float32 take no more room."""
        from onnx import numpy_helper

        name = self._scope.get_unique_variable_name("ps_constant")
        tensor = numpy_helper.from_array(np.ascontiguousarray(values), name)
        self._container.add_initializer(name, tensor.data_type, None, tensor)
        return self.double(name) if values.dtype == np.float32 else name
