"""Concern and recommendation of one topic are separate paragraphs under one heading: this pairs them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.models import RecommendationKind
from portal.services.recommendation_rows import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

_OPPOSITE = {
    RecommendationKind.CONCERN: RecommendationKind.RECOMMENDATION,
    RecommendationKind.RECOMMENDATION: RecommendationKind.CONCERN,
}


@dataclass(frozen=True)
class Node:
    """A stored or new paragraph as pairing sees it; ``heading`` is folded, ``pair`` a paragraph named by the source."""

    place: Place
    kind: RecommendationKind
    heading: str
    position: int
    new: bool
    paired: bool
    pair: str = ""


def find_pairs(nodes: Sequence[Node]) -> list[tuple[Place, Place]]:
    """Pair recommendations with concerns of the same heading within a document, nearest paragraph first.

    Only where one of the two is new and nothing is paired yet: a pair that was corrected by hand stays as it is.
    Returns (from, to), both ways.
    """
    places = {node.place for node in nodes}
    groups: dict[tuple[str, str, RecommendationKind], list[Node]] = defaultdict(list)
    for node in nodes:
        if node.heading:
            groups[node.place.symbol, node.heading, node.kind].append(node)
    found: list[tuple[Place, Place]] = []
    for node in sorted(nodes, key=lambda node: (node.place.symbol, node.position, node.place)):
        if node.paired or node.kind not in _OPPOSITE:
            continue
        if node.pair:
            target = Place(node.place.symbol, node.pair)
            if target in places and target != node.place:
                found.append((node.place, target))
            continue
        others = groups.get((node.place.symbol, node.heading, _OPPOSITE[node.kind]), ())
        near = [other for other in others if node.new or other.new]
        if near:
            found.append((node.place, min(near, key=lambda other: _distance(node, other)).place))
    return found


def _distance(node: Node, other: Node) -> tuple[int, bool, int]:
    """Prefer the nearest; at the same distance the concern that stands before its recommendation."""
    sign = 1 if node.kind is RecommendationKind.RECOMMENDATION else -1
    gap = (node.position - other.position) * sign
    return abs(gap), gap < 0, other.position
