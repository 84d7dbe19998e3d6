"""Django database backend for MongoDB: djongo's, made right. ENGINE is "mmproject.mongo".

Django's own compilers write SQL; this package parses that small dialect and runs it as MongoDB commands.
What it cannot express raises NotSupportedError naming the construct; nothing is ever approximated.

    base, client, features, operations, creation, introspection, schema   what Django asks a backend for
    compiler      the few expressions whose SQL is ours
    parser, nodes SQL text to a tree
    where         a condition to a filter, with SQL's three-valued logic
    expressions   a value to an aggregation expression
    select, grouping, inserts, updates   a statement to commands
    cursor        runs them; errors translates what the driver raises
    collections   the raw collection of a model, for aggregation pipelines; works on both engines

There are no transactions: `atomic()` does not roll back, and `select_for_update()` locks nothing. One `update()` whose
filter names only the model's own columns is one atomic compare-and-set for each document.
"""
