"""The error for a variable whose memory cannot be freed, the same from every backend."""


def cannot_release_message(where: str) -> str:
    """The sentence for a variable of an optimizer that lies on several devices."""
    return (
        '`LayerwiseTraining(state="drop")` frees the memory of variables on one device. Received: '
        f'{where}. Use state="keep".'
    )
