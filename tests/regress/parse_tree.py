# SPDX-License-Identifier: PostgreSQL
"""What PostgreSQL's grammar makes of a text, by libpg_query."""
import ctypes
import ctypes.util
import json


class Failure(ctypes.Structure):
    _fields_ = [("message", ctypes.c_char_p)]


class Parsed(ctypes.Structure):
    _fields_ = [("tree", ctypes.c_char_p), ("output", ctypes.c_char_p), ("failure", ctypes.POINTER(Failure))]


LIBRARY = ctypes.CDLL(ctypes.util.find_library("pg_query"))
LIBRARY.pg_query_parse.restype = Parsed
LIBRARY.pg_query_parse.argtypes = [ctypes.c_char_p]
LIBRARY.pg_query_free_parse_result.argtypes = [Parsed]
LIBRARY.pg_query_free_parse_result.restype = None


def statements(text):
    """(tag, node) of each statement; None where it is no SQL of this version."""
    parsed = LIBRARY.pg_query_parse(text)
    try:
        if parsed.failure:
            return None
        return [next(iter(raw["stmt"].items())) for raw in json.loads(parsed.tree.decode("utf-8", "replace"))["stmts"]]
    finally:
        LIBRARY.pg_query_free_parse_result(parsed)


def option_is_on(node, name):
    for option in node.get("options", []):
        element = option["DefElem"]
        if element["defname"] == name:
            value = json.dumps(element.get("arg", True)).lower()
            return not any(word in value for word in ("false", '"off"', '"ival": 0', '"integer": {}'))
    return False


def bare(tag, node):
    """Out of PREPARE and EXPLAIN."""
    while tag in ("PrepareStmt", "ExplainStmt"):
        tag, node = next(iter(node["query"].items()))
    return tag, node


def names(value):
    """The parts of a name that is a list of strings."""
    return [part["String"].get("sval", part["String"].get("str", "")) for part in value if "String" in part]


def is_relation_temporary(relation):
    return relation.get("relpersistence") == "t" or relation.get("schemaname") == "pg_temp"


def is_into_temporary(node):
    while "larg" in node and "intoClause" not in node:
        node = node["larg"]
    return "intoClause" in node and is_relation_temporary(node["intoClause"]["rel"])


def dropped_names(objects):
    for item in objects:
        (kind, value), = item.items()
        if kind == "List":
            yield names(value["items"])
        elif kind == "ObjectWithArgs":
            yield names(value.get("objname", []))
        elif kind == "TypeName":
            yield names(value["names"])
        else:
            yield []


def are_all_temporary(lists):
    lists = list(lists)
    return bool(lists) and all(len(parts) > 1 and parts[0] == "pg_temp" for parts in lists)


# Where a statement's own object stands in its tree.
RELATIONS = {"CreateStmt": ("relation",), "CreateForeignTableStmt": ("base", "relation"), "CreateSeqStmt": ("sequence",),
             "ViewStmt": ("view",), "CreateTableAsStmt": ("into", "rel"), "AlterTableStmt": ("relation",),
             "RenameStmt": ("relation",), "AlterSeqStmt": ("sequence",), "AlterObjectSchemaStmt": ("relation",),
             "CompositeTypeStmt": ("typevar",)}
NAMES = {"CreateFunctionStmt": "funcname", "DefineStmt": "defnames", "CreateDomainStmt": "domainname",
         "CreateEnumStmt": "typeName", "CreateRangeStmt": "typeName", "AlterEnumStmt": "typeName",
         "AlterDomainStmt": "typeName", "CreateConversionStmt": "conversion_name"}


def is_temporary(tag, node):
    """Whether it says itself that all it touches ends with the session."""
    tag, node = bare(tag, node)
    if tag == "SelectStmt":
        return is_into_temporary(node)
    if tag == "TruncateStmt":
        return (node.get("behavior") != "DROP_CASCADE" and
                all(relation["RangeVar"].get("schemaname") == "pg_temp" for relation in node["relations"]))
    if tag == "DropStmt":
        return node.get("behavior") != "DROP_CASCADE" and are_all_temporary(dropped_names(node["objects"]))
    if tag == "AlterFunctionStmt":
        return are_all_temporary([names(node["func"].get("objname", []))])
    if tag in NAMES:
        return are_all_temporary([names(node.get(NAMES[tag], []))])
    for step in RELATIONS.get(tag, ()):
        node = node.get(step, {})
    return is_relation_temporary(node)
