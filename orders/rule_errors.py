"""What can be wrong with the rules for orders of one's own."""


class RulesWrong(Exception):
    """The settings name rules that cannot be used; the message is a sentence that says why."""


class ModelFailed(Exception):
    """A model failed on a line instead of accepting or rejecting it: a bug of the model."""
