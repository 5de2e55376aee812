"""For every test: no deadline for one example of Hypothesis, and AWS's models read from disk once.

A busy machine would miss a deadline. A test that makes an AWS client of its own would spend most of its time on
reading models, if each session had a loader of its own. Clients of one session share its models anyway.
"""

import functools

import botocore.session
from botocore.loaders import Loader
from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

_known_loader = functools.cache(botocore.session.create_loader)


def _shared_loader(search_path_string: str | None = None) -> Loader:
    loader = _known_loader(search_path_string)
    loader.search_paths[:] = dict.fromkeys(loader.search_paths)  # each session of boto3 adds its own once more
    return loader


botocore.session.create_loader = _shared_loader
