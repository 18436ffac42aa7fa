/* SPDX-License-Identifier: PostgreSQL */
#include "catalog/reading.h"

/* Fields: letter (constraints.def; T: a part), identity, schema, table, name, columns, definition, place or
 * ''. Of a part: T, '', schema, table, name, parent's schema, parent's table, parent's name. Manual: "System
 * Catalogs". */
static const struct piece {
    int since; /* server version */
    int before;
    const char *sql;
} pieces[] = {
    { 0, 0,
      "WITH shown AS (SELECT oid, nspname FROM pg_namespace"
      " WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_(toast|temp)'),"
      " found (letter, identity, schema, tab, name, columns, definition, parent) AS (" },
    { 0, 0, /* constraints of tables and domains; other kinds (triggers; NOT NULL from 18 on) are not read
               here */
      "SELECT CASE WHEN c.contypid <> 0 THEN 'd' ELSE c.contype::text END, 'c' || c.oid, n.nspname,"
      " coalesce(t.relname, y.typname), c.conname,"
      " coalesce((SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.place)"
      " FROM unnest(c.conkey) WITH ORDINALITY k (number, place)"
      " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number), ''),"
      " pg_get_constraintdef(c.oid), CASE WHEN c.contype = 'c' AND array_length(c.conkey, 1) = 1"
      " THEN (SELECT count(*) FILTER (WHERE b.attnum <= c.conkey[1]) || '/' || count(*) FROM pg_attribute b"
      " WHERE b.attrelid = c.conrelid AND b.attnum > 0 AND NOT b.attisdropped) ELSE '' END"
      " FROM pg_constraint c LEFT JOIN pg_class t ON t.oid = c.conrelid LEFT JOIN pg_type y ON y.oid = "
      "c.contypid"
      " JOIN shown n ON n.oid = coalesce(t.relnamespace, y.typnamespace)"
      " WHERE c.contype IN ('c', 'u', 'p', 'f', 'x') AND c.conparentid = 0"
      " AND (c.conislocal OR NOT coalesce(t.relispartition, false))" },
    { 0, 0, /* unique indexes without a constraint; invalid: it holds for what is new only */
      " UNION ALL SELECT 'i', 'i' || i.indexrelid, n.nspname, t.relname, x.relname,"
      " (SELECT string_agg(pg_get_indexdef(i.indexrelid, k, true), ', ' ORDER BY k)"
      " FROM generate_series(1, i.indnkeyatts::int) k),"
      " pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN '' ELSE ' NOT VALID' END, ''"
      " FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid"
      " JOIN shown n ON n.oid = t.relnamespace"
      " WHERE i.indisunique AND i.indislive AND NOT x.relispartition"
      " AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.conrelid = "
      "i.indrelid"
      " AND c.contype IN ('p', 'u', 'x'))" },
    { 0, 0, " UNION ALL SELECT 'n', 'a' || a.attrelid || '.' || a.attnum, n.nspname, t.relname, " },
    { 0, 180000, "'', a.attname, 'NOT NULL ' || quote_ident(a.attname), '' FROM pg_attribute a" },
    { 180000, 0,
      "coalesce(c.conname, ''), a.attname, 'NOT NULL ' || quote_ident(a.attname)"
      " || CASE WHEN c.convalidated THEN '' ELSE ' NOT VALID' END, '' FROM pg_attribute a"
      " LEFT JOIN pg_constraint c ON c.conrelid = a.attrelid AND c.contype = 'n' AND c.conkey[1] = "
      "a.attnum" },
    { 0, 0,
      " JOIN pg_class t ON t.oid = a.attrelid JOIN shown n ON n.oid = t.relnamespace"
      " WHERE a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped AND t.relkind IN ('r', 'p', 'f')"
      " AND NOT (t.relispartition AND EXISTS (SELECT FROM pg_inherits h JOIN pg_attribute u"
      " ON u.attrelid = h.inhparent AND u.attname = a.attname AND u.attnotnull WHERE h.inhrelid = "
      "a.attrelid))" },
    { 0, 0,
      " UNION ALL SELECT 'm', 't' || y.oid, n.nspname, y.typname, '', '', 'NOT NULL', ''"
      " FROM pg_type y JOIN shown n ON n.oid = y.typnamespace WHERE y.typtype = 'd' AND y.typnotnull" },
    { 0, 0,
      " UNION ALL SELECT 'e', 'e' || y.oid, n.nspname, y.typname, '', '', 'ENUM (' || coalesce((SELECT"
      " string_agg(quote_literal(l.enumlabel), ', ' ORDER BY l.enumsortorder) FROM pg_enum l"
      " WHERE l.enumtypid = y.oid), '') || ')', ''"
      " FROM pg_type y JOIN shown n ON n.oid = y.typnamespace WHERE y.typtype = 'e'" },
    { 0, 0,
      " UNION ALL SELECT 'k', 'k' || t.oid, n.nspname, t.relname, '', '',"
      " 'PARTITION BY ' || pg_get_partkeydef(t.oid), ''"
      " FROM pg_partitioned_table p JOIN pg_class t ON t.oid = p.partrelid JOIN shown n ON n.oid = "
      "t.relnamespace" },
    { 0, 0, /* parts: tables, constraints, indexes without a constraint */
      " UNION ALL SELECT 'T', '', n.nspname, t.relname, '', pn.nspname, pt.relname, ''"
      " FROM pg_class t JOIN shown n ON n.oid = t.relnamespace JOIN pg_inherits h ON h.inhrelid = t.oid"
      " JOIN pg_class pt ON pt.oid = h.inhparent JOIN pg_namespace pn ON pn.oid = pt.relnamespace"
      " WHERE t.relispartition AND t.relkind IN ('r', 'p', 'f')"
      " UNION ALL SELECT 'T', '', n.nspname, t.relname, c.conname, pn.nspname, pt.relname, pc.conname"
      " FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN shown n ON n.oid = t.relnamespace"
      " JOIN pg_constraint pc ON pc.oid = c.conparentid JOIN pg_class pt ON pt.oid = pc.conrelid"
      " JOIN pg_namespace pn ON pn.oid = pt.relnamespace WHERE c.contype IN ('u', 'p', 'f', 'x')"
      " UNION ALL SELECT 'T', '', n.nspname, t.relname, x.relname, pn.nspname, pt.relname, px.relname"
      " FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid"
      " JOIN shown n ON n.oid = t.relnamespace JOIN pg_inherits h ON h.inhrelid = x.oid"
      " JOIN pg_class px ON px.oid = h.inhparent JOIN pg_index pi ON pi.indexrelid = px.oid"
      " JOIN pg_class pt ON pt.oid = pi.indrelid JOIN pg_namespace pn ON pn.oid = pt.relnamespace"
      " WHERE i.indisunique AND x.relispartition AND NOT EXISTS (SELECT FROM pg_constraint c"
      " WHERE c.conindid = i.indexrelid AND c.conrelid = i.indrelid AND c.contype IN ('p', 'u', 'x'))" },
};

static bool is_for(const struct piece *piece, int server_version)
{
    return server_version >= piece->since && (piece->before == 0 || server_version < piece->before);
}

/* The server cuts, so that no definition is longer than what we are ready to take. What was deleted while it
 * was read has no definition. */
void reading_query(int server_version, struct text *out)
{
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        if (is_for(&pieces[i], server_version))
            text_append_string(out, pieces[i].sql);
    }
    text_append_format(out,
                       ") SELECT letter, identity, schema, tab, name, columns,"
                       " CASE WHEN length(definition) <= %d THEN definition ELSE left(definition, %d) ||"
                       " ' ... [' || length(definition) || ' characters, ' ||"
                       " to_hex(hashtextextended(definition, 0)) || ']' END, parent"
                       " FROM found WHERE definition IS NOT NULL",
                       READING_DEFINITION_SIZE, READING_DEFINITION_SIZE);
}

static void part_take(struct catalog *catalog, const struct bytes fields[READING_FIELDS])
{
    const struct constraint_part part = {
        .schema = fields[2],
        .table = fields[3],
        .name = fields[4],
        .parent_schema = fields[5],
        .parent_table = fields[6],
        .parent_name = fields[7],
    };
    catalog_take_part(catalog, &part);
}

bool reading_take(struct catalog *catalog, const struct bytes fields[READING_FIELDS])
{
    struct constraint_row row = {
        .identity = fields[1],
        .schema = fields[2],
        .table = fields[3],
        .name = fields[4],
        .columns = fields[5],
        .definition = fields[6],
        .place = fields[7],
    };
    if (fields[0].size == 1 && fields[0].data[0] == READING_PART) {
        part_take(catalog, fields);
        return true;
    }
    if (fields[0].size != 1 || !constraint_kind_find((char)fields[0].data[0], &row.kind))
        return false;
    catalog_take(catalog, &row);
    return true;
}
