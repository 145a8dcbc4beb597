"""Reads exported graphs with whatever reads them, into one form: vertices, edges, and the values of each."""

import math
import re
import subprocess
import warnings
import xml.etree.ElementTree

GRAPHML = "{http://graphml.graphdrawing.org/xmlns}"
YED = "{http://www.yworks.com/xml/graphml}"
NUMBERS = {"int": int, "long": int, "double": float}


def strictly(text):
    """[(name, {...}) of the run, of each vertex, of each edge], with types, and what breaks our own rules."""
    root = xml.etree.ElementTree.fromstring(text)
    return Rules(root).read()


class Rules:
    """GraphML read by the letter: whatever one of its usual readers stumbles over is collected as an objection."""

    def __init__(self, root):
        self.objections = []
        self.keys = {}
        self.root = root

    def require(self, holds, objection):
        if not holds:
            self.objections.append(objection)

    def read(self):
        self.require(self.root.tag == GRAPHML + "graphml", f"the root is {self.root.tag}")
        tags = [child.tag for child in self.root]
        self.require(tags == [GRAPHML + "key"] * (len(tags) - 1) + [GRAPHML + "graph"], "keys, then one graph")
        for key in self.root.findall(GRAPHML + "key"):
            self.read_key(key)
        graph = self.root.find(GRAPHML + "graph")
        self.require(graph.get("edgedefault") == "directed", "the graph is not directed")
        order = [child.tag.removeprefix(GRAPHML) for child in graph]
        self.require(order == sorted(order, key=["data", "node", "edge"].index), "data, then nodes, then edges")
        nodes, edges = graph.findall(GRAPHML + "node"), graph.findall(GRAPHML + "edge")
        self.require([n.get("id") for n in nodes] == [f"n{i}" for i in range(len(nodes))], "nodes are n0, n1, …")
        self.require([e.get("id") for e in edges] == [f"e{i}" for i in range(len(edges))], "edges are e0, e1, …")
        run = self.values(graph, "graph")
        vertices = [self.values(node, "node") for node in nodes]
        return run, vertices, [self.edge(edge, len(nodes)) for edge in edges], self.objections

    def read_key(self, key):
        identity, name, element, form = (key.get(part) for part in ("id", "attr.name", "for", "attr.type"))
        self.require(identity not in self.keys, f"key {identity} is declared twice")
        self.require(len(key) == 0, f"key {identity} has a default")
        self.require(element in ("node", "edge", "graph"), f"key {identity} is for {element}")
        self.keys[identity] = (name, element, form)
        if key.get("yfiles.type"):
            return
        self.require(re.fullmatch(r"[a-z_][a-z0-9_]*", identity), f"key {identity} is no plain name")
        self.require(identity not in ("id", "source", "target"), f"key {identity} means something else to readers")
        self.require(name == identity or (identity, name) == ("edge_label", "label"), f"key {identity} is named {name}")
        self.require(form in ("string", "int", "long", "double"), f"key {identity} is of type {form}")

    def values(self, element, kind):
        values = {}
        for data in element.findall(GRAPHML + "data"):
            name, key_for, form = self.keys.get(data.get("key"), (None, None, None))
            self.require(key_for == kind, f"{data.get('key')} is data of a {kind}, declared for {key_for}")
            if name is None:  # of yEd
                continue
            self.require(name not in values, f"{element.get('id')} has {name} twice")
            self.require(len(data) == 0, f"{name} holds elements")
            values[name] = self.value(name, form, data.text or "")
        return values

    def value(self, name, form, text):
        if form not in NUMBERS:
            return text
        try:
            number = NUMBERS[form](text)
        except ValueError:
            self.objections.append(f"{name} is '{text}', which is no {form}")
            return text
        self.require(math.isfinite(number), f"{name} is {text}")
        return number

    def edge(self, edge, vertices):
        ends = tuple(int(edge.get(end)[1:]) for end in ("source", "target"))
        self.require(all(0 <= end < vertices for end in ends), f"{edge.get('id')} leads nowhere")
        return ends, self.values(edge, "edge")


def by_networkx(path):
    import networkx

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graph = networkx.read_graphml(path, force_multigraph=True)
    index = {name: i for i, name in enumerate(graph.nodes)}
    edges = sorted(graph.edges(keys=True, data=True), key=lambda edge: int(edge[2][1:]))
    run = {name: value for name, value in graph.graph.items() if name not in ("node_default", "edge_default")}
    return run, [dict(graph.nodes[n]) for n in graph], [((index[a], index[b]), values) for a, b, _, values in edges]


def by_igraph(path):
    import igraph

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graph = igraph.Graph.Read_GraphML(str(path))
    run = {name: graph[name] for name in graph.attributes()}
    vertices = [vertex.attributes() for vertex in graph.vs]
    edges = [(edge.tuple, edge.attributes()) for edge in graph.es]
    return run, vertices, edges


def as_igraph_reads(graph):
    """What igraph should read where we wrote `graph`: every key on every element, numbers as doubles."""
    run, vertices, edges = graph

    def filled(values, forms, more):
        given = {name: float(value) if forms[name] else value for name, value in values.items()}
        absent = {name: math.nan if is_number else "" for name, is_number in forms.items() if name not in values}
        return {**given, **absent, **more}

    def forms_of(all_values):
        return {name: not isinstance(value, str) for values in all_values for name, value in values.items()}

    node_forms, edge_forms = forms_of(vertices), forms_of(values for _, values in edges)
    return (
        filled(run, forms_of([run]), {}),
        [filled(values, node_forms, {"id": f"n{i}"}) for i, values in enumerate(vertices)],
        [(ends, filled(values, edge_forms, {"id": f"e{i}"})) for i, (ends, values) in enumerate(edges)],
    )


def same(one, other):
    """Equality in which NaN equals NaN."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return type(one) is type(other) and one == other


def by_boost(program, path):
    """Values as the texts that Boost hands on."""
    done = subprocess.run([program, path], capture_output=True, timeout=60)
    if done.returncode != 0 or done.stderr:
        raise ValueError(f"Boost refuses {path}: {done.stderr.decode(errors='replace')}")
    # A value may hold newlines; a record begins with one of these words.
    records = re.split(r"\n(?=(?:count|ends|node|edge|graph)\t)", done.stdout.decode().removesuffix("\n"))
    _, vertex_count, edge_count = records[0].split("\t")
    run, vertices, values = {}, [{} for _ in range(int(vertex_count))], [{} for _ in range(int(edge_count))]
    ends = {}
    for record in records[1:]:
        kind, number, *rest = record.split("\t", 3)
        if kind == "ends":
            ends[int(number)] = tuple(map(int, rest))
        else:
            of = run if kind == "graph" else (vertices if kind == "node" else values)[int(number)]
            of[rest[0]] = rest[1]
    return run, vertices, [(ends[i], values[i]) for i in range(len(values))]
