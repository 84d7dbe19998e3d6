"""What API requests say, checked: nothing unknown passes unseen, and what is refused is named with its value."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

MAX_QUOTED = 100  # characters of a refused value that the answer repeats


def query_values(serializer_class: type[serializers.Serializer], request: Request) -> dict[str, Any]:
    """The query parameters as `serializer_class` reads them.

    Raises ValidationError, keyed by parameter, for a parameter that the serializer does not have: a filter with a
    slip in its name would otherwise silently return everything.
    """
    query = serializer_class(data=request.query_params)
    unknown = sorted(set(request.query_params) - set(query.fields))
    if unknown:
        message = _("There is no such parameter. There are: %(names)s.") % {"names": ", ".join(query.fields)}
        raise serializers.ValidationError({name: [message] for name in unknown})
    return checked(query)


def checked(serializer: serializers.BaseSerializer) -> dict[str, Any]:
    """The validated data. Raises ValidationError, keyed by field, whose messages name the value that was given."""
    if serializer.is_valid():
        return serializer.validated_data
    given = serializer.initial_data if hasattr(serializer.initial_data, "get") else {}
    raise serializers.ValidationError(
        {field: _with_value(messages, given.get(field)) for field, messages in serializer.errors.items()}
    )


def _with_value(messages: Any, value: Any) -> Any:
    if not isinstance(messages, list) or not isinstance(value, str | int | float) or value == "":
        return messages  # a list's own messages name the place in it; nothing given has no value
    quoted = str(value)[:MAX_QUOTED]
    return [
        message if quoted in message else _("%(message)s Given: “%(value)s”.") % {"message": message, "value": quoted}
        for message in messages
    ]
