"""One sentence about a setting that is missing or wrong."""

import re

from pydantic import AliasChoices, ValidationError
from pydantic_settings import BaseSettings


def variable_names(settings: type[BaseSettings], field: str) -> tuple[str, ...]:
    """The environment variables that set a field, the main one first."""
    alias = settings.model_fields[field].validation_alias
    if isinstance(alias, AliasChoices):
        return tuple(str(choice) for choice in alias.choices)
    if isinstance(alias, str):
        return (alias,)
    return (f"{settings.model_config.get('env_prefix', '')}{field}".upper(),)


def sentence_of(error: ValidationError, settings: type[BaseSettings]) -> str:
    """The first thing wrong, as one sentence that names the setting and what to do."""
    first = error.errors(include_url=False)[0]
    message = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return f"{message}."
    field = _field_named(str(first["loc"][0]), settings)
    variable = variable_names(settings, field)[0]
    if first["type"] == "missing":
        about = (settings.model_fields[field].description or "").split(". ")[0].rstrip(".")
        return f"{variable} is not set; set it to the {about}."
    return f"{variable} is wrong: {re.sub(r'^(Input|String|Value) ', 'it ', message)}."


def _field_named(name: str, settings: type[BaseSettings]) -> str:
    """The field that a validation error means: it names it by field or by variable."""
    return next(
        field
        for field in settings.model_fields
        if name.lower() in {field, *map(str.lower, variable_names(settings, field))}
    )
