"""The network that maps an item's metrics to its score."""

from torch import nn

# The middle of ReLU6's range: with batch-normalised scores of unit variance,
# nearly all items start where its gradient is not zero.
_RELU6_MIDDLE = 3.0


class ScoreNetwork(nn.Module):
    """Score items from their metrics, section 4.2 of the paper.

    [Linear, BatchNorm, ReLU] per hidden layer, then Linear, BatchNorm, ReLU6.
    The last BatchNorm starts in the middle of ReLU6's range, since an item
    that starts outside of it would get no gradient.

    Parameters
    ----------
    n_features : int
        Metrics per item.
    hidden_layer_sizes : sequence of int
        Units of each hidden layer.
    output_activation : {"relu6", "identity"}
        "identity" leaves the last Linear bare: neither BatchNorm nor ReLU6.
    """

    def __init__(self, n_features, hidden_layer_sizes, output_activation):
        super().__init__()
        layers = []
        n_inputs = n_features
        for n_units in hidden_layer_sizes:
            layers += [nn.Linear(n_inputs, n_units), nn.BatchNorm1d(n_units), nn.ReLU()]
            n_inputs = n_units
        layers.append(nn.Linear(n_inputs, 1))
        if output_activation == "relu6":
            norm = nn.BatchNorm1d(1)
            nn.init.constant_(norm.bias, _RELU6_MIDDLE)
            layers += [norm, nn.ReLU6()]
        self.layers = nn.Sequential(*layers)

    def forward(self, X):
        """Return the scores, shape (n_items,), of `X`, (n_items, n_features)."""
        return self.layers(X).squeeze(1)
