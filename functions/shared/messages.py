"""Reading what a queue's messages say."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)


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
        Naming what is wrong, without quoting the message.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        text = "; ".join(f"{'.'.join(map(str, p['loc'])) or 'body'}: {p['msg']}" for p in problems)
        raise MalformedMessageError(f"Not {what}: {text}") from None
