//! The two schemas are one: the same tables, columns, keys and types.

use std::collections::{BTreeMap, BTreeSet};

use db::{Db, args, migrations};

use crate::fixture::{postgres, sqlite};

/// What only one engine has: PostgreSQL's change log.
const ONE_SIDED: [&str; 1] = ["changes"];

/// A schema as facts, one line each, so that a difference names itself.
type Facts = BTreeSet<String>;

async fn rows<const N: usize>(db: &Db, sql: &'static str) -> Vec<[String; N]> {
    let rows = db.all(sql, args![]).await.unwrap();
    rows.iter().map(|row| std::array::from_fn(|column| row.get(column).unwrap())).collect()
}

async fn of_sqlite(db: &Db) -> Facts {
    let mut facts = Facts::new();
    let columns = rows::<5>(
        db,
        "SELECT t.name, c.name, c.type, CAST(c.\"notnull\" AS TEXT), CAST(c.pk AS TEXT)
         FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'",
    )
    .await;
    let mut primary: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for [table, column, declared, not_null, key] in columns {
        let column_type = match declared.as_str() {
            "TEXT" => "text",
            "BIGINT" | "INTEGER" => "int",
            "BLOB" => "bytes",
            "BOOLEAN" => "bool",
            "DOUBLE" | "DOUBLE PRECISION" => "real",
            other => panic!("{table}.{column} has type {other}"),
        };
        // An INTEGER PRIMARY KEY is SQLite's row id, and never NULL.
        let required = not_null == "1" || (declared == "INTEGER" && key != "0");
        facts.insert(format!("column {table}.{column}: {column_type}, required: {required}"));
        if key != "0" {
            primary.entry(table).or_default().insert(key, column);
        }
    }
    for (table, columns) in primary {
        facts.insert(format!("unique {table}: {}", joined(columns.into_values())));
    }
    let indices = rows::<4>(
        db,
        "SELECT t.name, i.name, CAST(i.\"unique\" AS TEXT),
                (SELECT group_concat(COALESCE(c.name, '(expression)') || CASE WHEN c.\"desc\" THEN ' desc' ELSE '' END, ',')
                 FROM (SELECT * FROM pragma_index_xinfo(i.name) WHERE key = 1 ORDER BY seqno) AS c)
                || CASE WHEN i.partial THEN ' partial' ELSE '' END
         FROM sqlite_schema AS t, pragma_index_list(t.name) AS i
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND i.origin <> 'pk'",
    )
    .await;
    for [table, name, unique, columns] in indices {
        facts.insert(index(&table, &name, unique == "1", &columns));
    }
    let foreign = rows::<5>(
        db,
        "SELECT t.name, CAST(f.id AS TEXT), f.\"table\", f.on_delete,
                group_concat(f.\"from\" || '=' || COALESCE(f.\"to\", '(primary key)'), ',')
         FROM sqlite_schema AS t, pragma_foreign_key_list(t.name) AS f
         WHERE t.type = 'table' GROUP BY t.name, f.id, f.\"table\", f.on_delete",
    )
    .await;
    for [table, _, target, on_delete, pairs] in foreign {
        facts.insert(foreign_key(&table, &target, &on_delete, &pairs));
    }
    let views = rows::<2>(
        db,
        "SELECT v.name, c.name FROM sqlite_schema AS v, pragma_table_info(v.name) AS c WHERE v.type = 'view'",
    )
    .await;
    facts.extend(views.into_iter().map(|[view, column]| format!("view {view}.{column}")));
    facts
}

async fn of_postgres(db: &Db) -> Facts {
    let mut facts = Facts::new();
    let columns = rows::<5>(
        db,
        "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text,
                COALESCE(collation_name::text, '')
         FROM information_schema.columns AS c JOIN information_schema.tables AS t USING (table_schema, table_name)
         WHERE table_schema = 'public' AND table_type = 'BASE TABLE'",
    )
    .await;
    for [table, column, data_type, nullable, collation] in columns {
        let column_type = match data_type.as_str() {
            "text" => "text",
            "bigint" => "int",
            "bytea" => "bytes",
            "boolean" => "bool",
            "double precision" => "real",
            other => panic!("{table}.{column} has type {other}"),
        };
        // Text compares by bytes, as it does on SQLite.
        assert!(
            column_type != "text" || collation == "C",
            "{table}.{column} has collation {collation}"
        );
        facts.insert(format!(
            "column {table}.{column}: {column_type}, required: {}",
            nullable == "NO"
        ));
    }
    let indices = rows::<5>(
        db,
        "SELECT t.relname::text, i.relname::text, x.indisunique::text, x.indisprimary::text,
                (SELECT string_agg(
                     CASE WHEN k.attnum = 0 THEN '(expression)'
                          ELSE (SELECT a.attname::text FROM pg_attribute AS a
                                WHERE a.attrelid = t.oid AND a.attnum = k.attnum) END
                     || CASE WHEN x.indoption[k.position - 1] & 1 = 1 THEN ' desc' ELSE '' END,
                     ',' ORDER BY k.position)
                 FROM unnest(x.indkey::smallint[]) WITH ORDINALITY AS k (attnum, position)
                 WHERE k.position <= x.indnkeyatts)
                || CASE WHEN x.indpred IS NULL THEN '' ELSE ' partial' END
         FROM pg_index AS x JOIN pg_class AS t ON t.oid = x.indrelid JOIN pg_class AS i ON i.oid = x.indexrelid
         JOIN pg_namespace AS n ON n.oid = t.relnamespace WHERE n.nspname = 'public'",
    )
    .await;
    for [table, name, unique, primary, columns] in indices {
        if primary == "true" {
            facts.insert(format!("unique {table}: {columns}"));
        } else {
            facts.insert(index(&table, &name, unique == "true", &columns));
        }
    }
    let foreign = rows::<5>(
        db,
        "SELECT t.relname::text, c.conname::text, r.relname::text,
                CASE c.confdeltype WHEN 'a' THEN 'NO ACTION' WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE'
                                   WHEN 'n' THEN 'SET NULL' ELSE 'SET DEFAULT' END,
                (SELECT string_agg(a.attname || '=' || b.attname, ',' ORDER BY k.position)
                 FROM unnest(c.conkey, c.confkey) WITH ORDINALITY AS k (own, other, position)
                 JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.own
                 JOIN pg_attribute AS b ON b.attrelid = c.confrelid AND b.attnum = k.other)
         FROM pg_constraint AS c JOIN pg_class AS t ON t.oid = c.conrelid JOIN pg_class AS r ON r.oid = c.confrelid
         WHERE c.contype = 'f'",
    )
    .await;
    for [table, _, target, on_delete, pairs] in foreign {
        facts.insert(foreign_key(&table, &target, &on_delete, &pairs));
    }
    let views = rows::<2>(
        db,
        "SELECT table_name::text, column_name::text FROM information_schema.columns
         JOIN information_schema.views USING (table_schema, table_name) WHERE table_schema = 'public'",
    )
    .await;
    facts.extend(views.into_iter().map(|[view, column]| format!("view {view}.{column}")));
    facts
}

/// A unique index is what a unique constraint is, and its name does not matter.
fn index(table: &str, name: &str, unique: bool, columns: &str) -> String {
    if unique {
        format!("unique {table}: {columns}")
    } else {
        format!("index {table}.{name}: {columns}")
    }
}

fn foreign_key(table: &str, target: &str, on_delete: &str, pairs: &str) -> String {
    let pairs: BTreeSet<&str> = pairs.split(',').collect();
    format!("foreign key {table} -> {target}: {}, on delete {on_delete}", joined(pairs))
}

fn joined<S: AsRef<str>>(parts: impl IntoIterator<Item = S>) -> String {
    parts.into_iter().map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join(",")
}

#[tokio::test(flavor = "multi_thread")]
async fn both_engines_have_the_same_schema() {
    let (one, other) = (sqlite(), postgres().await);
    let (sqlite, postgres) = (one.bare().await, other.bare().await);
    sqlite.migrate(&migrations()).await.unwrap();
    postgres.migrate(&migrations()).await.unwrap();
    let of_both =
        |fact: &String| !ONE_SIDED.iter().any(|table| fact.contains(&format!(" {table}")));
    let sqlite: Facts = of_sqlite(&sqlite).await.into_iter().filter(of_both).collect();
    let postgres: Facts = of_postgres(&postgres).await.into_iter().filter(of_both).collect();
    assert!(
        sqlite.iter().any(|fact| fact.starts_with("foreign key")),
        "the comparison sees foreign keys"
    );
    let only_sqlite: Vec<_> = sqlite.difference(&postgres).collect();
    let only_postgres: Vec<_> = postgres.difference(&sqlite).collect();
    assert!(
        only_sqlite.is_empty() && only_postgres.is_empty(),
        "only SQLite: {only_sqlite:#?}\nonly PostgreSQL: {only_postgres:#?}"
    );
}
