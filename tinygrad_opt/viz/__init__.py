"""Pictures: the graph of a computation, the table of a model, the curves of a training run."""

from .boxes import Cluster, Edge, Vertex
from .graph import Graph, graph
from .plots import history
from .schedules import schedule
from .summary import Row, Summary, summary

__all__ = ["Cluster", "Edge", "Graph", "Row", "Summary", "Vertex", "graph", "history", "schedule", "summary"]
