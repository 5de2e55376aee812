"""Reading what a queue's messages say."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)

_PROBLEMS_NAMED = 5
"""A large message may be wrong in tens of thousands of places; a log line of CloudWatch holds 1 MB."""


class MalformedMessageError(ValueError):
    """The message is not what its queue is for; only a person can say what it is, so it ends in the DLQ."""


def read_message(model: type[Model], body: str, what: str) -> Model:
    """Read a message's JSON.

    Parameters
    ----------
    what
        What the message should be, for the error: "an Object Created event".

    Raises
    ------
    MalformedMessageError
        Naming what is wrong first, without quoting the message.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        named = [f"{'.'.join(map(str, p['loc'])) or 'body'}: {p['msg']}" for p in problems[:_PROBLEMS_NAMED]]
        more = f"; and {len(problems) - len(named):,} more" if len(problems) > len(named) else ""
        raise MalformedMessageError(f"Not {what}: {'; '.join(named)}{more}") from None
