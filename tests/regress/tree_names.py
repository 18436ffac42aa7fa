# SPDX-License-Identifier: PostgreSQL
"""Which objects a statement's parse tree names."""
import parse_tree

# What these hold is read or written as rows; no schema change.
ROWS = {"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"}
# What a routine or a view will run, one day: the server refuses schema changes there.
UNREAD = {"sql_body"}
# Objects that are lists of names, and how many parts at the end are members of them.
MEMBERS = {"OBJECT_COLUMN": 1, "OBJECT_TABCONSTRAINT": 1, "OBJECT_TRIGGER": 1, "OBJECT_RULE": 1, "OBJECT_POLICY": 1}
LISTED = {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE", "OBJECT_INDEX", "OBJECT_SEQUENCE",
          "OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE", "OBJECT_TYPE", "OBJECT_DOMAIN",
          "OBJECT_COLLATION", "OBJECT_CONVERSION", "OBJECT_STATISTIC_EXT", "OBJECT_TSCONFIGURATION",
          "OBJECT_TSDICTIONARY", "OBJECT_TSPARSER", "OBJECT_TSTEMPLATE", *MEMBERS}
SCHEMAS = {"OBJECT_SCHEMA", "OBJECT_TABLES_IN_SCHEMA"}
TYPES = {"objectType", "removeType", "renameType", "objtype"}
WITH_NAMES = {"CreateFunctionStmt": "funcname", "DefineStmt": "defnames", "CreateDomainStmt": "domainname",
              "CreateEnumStmt": "typeName", "CreateRangeStmt": "typeName", "AlterEnumStmt": "typeName",
              "AlterDomainStmt": "typeName", "CreateStatsStmt": "defnames", "CreateConversionStmt": "conversion_name",
              "AlterTSDictionaryStmt": "dictname", "AlterTSConfigurationStmt": "cfgname"}


def last_two(parts, members=0):
    parts = [part[:63] for part in parts]
    parts = parts[:len(parts) - members]
    return ("", *parts)[-2:] if parts else None


def of_object(kind, item):
    """The name of an object that is not a relation's variable."""
    (tag, value), = item.items()
    if kind in SCHEMAS and tag == "String":
        return "", value.get("sval", "")
    if kind not in LISTED:
        return None
    if tag == "List":
        return last_two(parse_tree.names(value.get("items", [])), MEMBERS.get(kind, 0))
    if tag == "ObjectWithArgs":
        return last_two(parse_tree.names(value.get("objname", [])))
    if tag == "TypeName":
        return last_two(parse_tree.names(value["names"]))
    return None


def of_relation(node):
    if parse_tree.is_relation_temporary(node):
        return None
    return node.get("schemaname", ""), node["relname"]


def of_definition(node):
    """OWNED BY and SEQUENCE NAME."""
    if node.get("defname") == "owned_by":
        return last_two(parse_tree.names(node["arg"]["List"]["items"]), 1)
    if node.get("defname") == "sequence_name":
        return last_two(parse_tree.names(node["arg"]["List"]["items"]))
    return None


def walk(node):
    """Every name below the node, None among them."""
    if isinstance(node, list):
        for item in node:
            yield from walk(item)
    if not isinstance(node, dict):
        return
    if "relname" in node:
        yield of_relation(node)
    yield of_definition(node)
    kind = next((node[key] for key in TYPES if key in node), None)
    for key in ("object", "objects"):
        for item in node[key] if isinstance(node.get(key), list) else [node[key]] if key in node else []:
            yield of_object(kind, item) if isinstance(item, dict) and len(item) == 1 else None
    for key, value in node.items():
        if key in WITH_NAMES and isinstance(value, dict):
            yield last_two(parse_tree.names(value[WITH_NAMES[key]]))
        if key == "SelectStmt":
            while "larg" in value:
                value = value["larg"]
            yield from walk(value.get("intoClause", {}).get("rel", {}))
        elif key not in ROWS | UNREAD:
            yield from walk(value)


def new_names(tag, node):
    """What RENAME TO, SET SCHEMA and CREATE INDEX make."""
    relation = node.get("relation", {})
    schema = relation.get("schemaname", "")
    if tag == "IndexStmt" and "idxname" in node:
        yield schema, node["idxname"]
    if tag == "RenameStmt" and node["renameType"] in LISTED - set(MEMBERS) and relation:
        yield schema, node["newname"]
    if tag == "AlterObjectSchemaStmt" and relation:
        yield node["newschema"], relation["relname"]


def of_statement(tag, node):
    if tag == "ViewStmt":
        node = {"view": node["view"]}
    named = set(walk({tag: node})) | set(new_names(tag, node))
    return {name for name in named if name is not None and name[0] != "pg_temp" and name[1] != ""}


def has_cascade(node):
    if isinstance(node, list):
        return any(map(has_cascade, node))
    return isinstance(node, dict) and (node.get("behavior") == "DROP_CASCADE" or any(map(has_cascade, node.values())))
