"""Columns that arguments name: each is there, once."""


def check_named_columns(source, names, fields, features, remedy):
    """Raise ValueError if a named column is not there or twice, or there is no feature.

    Parameters
    ----------
    source : str or Path
        What has the columns, for messages.
    names : list of str
        Of its columns.
    fields : dict of str to str
        Names of the columns of the target, by the argument that names them.
    features : list of str
    remedy : str
        What to do about two columns of one name.
    """
    wanted = {**fields, **{f"features[{k}]": name for k, name in enumerate(features)}}
    for argument, column in wanted.items():
        if column not in names:
            raise ValueError(
                f"{source} has no column {column!r}, which {argument}= names; its columns "
                f"are {names}. Name one of these."
            )
        if names.count(column) > 1:
            raise ValueError(
                f"{source} has {names.count(column)} columns of the name {column!r}, "
                f"which {argument}= names; expected one. {remedy}"
            )
    if not features:
        raise ValueError(
            f"{source} has no column beside {list(fields.values())}; expected at least "
            "one metric to learn from. Pass features=[...]."
        )
