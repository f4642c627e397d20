"""Shapley values of a game: all coalitions, or those along drawn orders."""

from dataclasses import dataclass
from math import comb

import numpy as np


@dataclass(frozen=True)
class AllCoalitions:
    """Every coalition of a few players, which gives the Shapley values themselves.

    Attributes
    ----------
    n_players : int
    """

    n_players: int

    @property
    def n_coalitions(self):
        return 2**self.n_players

    @property
    def everyone(self):
        """Place of the coalition of all; that of nobody is 0."""
        return self.n_coalitions - 1

    @property
    def members(self):
        """Who is in each coalition, shape (n_coalitions, n_players), bool."""
        coalition = np.arange(2**self.n_players)[:, None]
        return (coalition >> np.arange(self.n_players)) & 1 == 1

    def shapley(self, worth):
        """Return the Shapley values.

        Parameters
        ----------
        worth : ndarray of shape (n_games, 2 ** n_players), float
            Of each coalition, in the order of `members`.

        Returns
        -------
        values : ndarray of shape (n_games, 1, n_players), float
            One estimate of each, which is exact.
        """
        n = self.n_players
        size = self.members.sum(axis=1)
        share = np.array([1.0 / (n * comb(n - 1, k)) for k in range(n)])
        coalition = np.arange(2**n)
        values = np.empty((len(worth), 1, n))
        for player in range(n):
            without = np.flatnonzero((coalition >> player) & 1 == 0)
            gain = worth[:, without + (1 << player)] - worth[:, without]
            values[:, 0, player] = gain @ share[size[without]]
        return values


@dataclass(frozen=True)
class DrawnOrders:
    """The coalitions along orders in which players come in, and along their reverses.

    What a player adds is then exact for the additive part of the worth, to which any
    order gives the same, and for what two players add together, which one of them gets
    in an order and the other in its reverse. Only what three or more add together is
    estimated.

    Attributes
    ----------
    orders : ndarray of shape (n_orders, n_players), int
        Permutations of the players.
    """

    orders: np.ndarray
    everyone = 1

    @property
    def n_coalitions(self):
        n_orders, n_players = self.orders.shape
        return 2 + 2 * n_orders * (n_players - 1)

    @property
    def members(self):
        """Who is in each coalition: none, all, the first k of each order, the others.

        Shape (n_coalitions, n_players), bool.
        """
        n = self.orders.shape[1]
        place = np.argsort(self.orders, axis=1)
        first = place[:, None] < np.arange(1, n)[:, None]
        first = first.reshape(-1, n)
        ends = np.stack([np.zeros(n, dtype=bool), np.ones(n, dtype=bool)])
        return np.concatenate([ends, first, ~first])

    def shapley(self, worth):
        """Return an estimate of the Shapley values for each order with its reverse.

        Parameters
        ----------
        worth : ndarray of shape (n_games, n_coalitions), float
            Of each coalition, in the order of `members`.

        Returns
        -------
        values : ndarray of shape (n_games, n_orders, n_players), float
        """
        n_orders, n = self.orders.shape
        n_games = len(worth)
        ends = np.broadcast_to(worth[:, None, :2], (n_games, n_orders, 2))
        first, others = worth[:, 2:].reshape(n_games, 2, n_orders, n - 1).swapaxes(0, 1)
        forward = np.concatenate([ends[..., :1], first, ends[..., 1:]], axis=2)
        backward = np.concatenate([ends[..., 1:], others, ends[..., :1]], axis=2)
        gain = (np.diff(forward, axis=2) - np.diff(backward, axis=2)) / 2
        return np.take_along_axis(gain, np.argsort(self.orders, axis=1)[None], axis=2)
