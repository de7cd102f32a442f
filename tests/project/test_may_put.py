"""Which files may put something in the place of a name, by their texts."""

import ast

import pytest

from awaken.project.source.replacing import may_put

PUTS = (
    "hub.loop = fake",
    "hub.loop= fake",
    "hub.loop: object = fake",
    "if fake:\n    hubs[0].loop: object = fake",
    "hub.loop, other = pair",
    "other, hub.loop, last = three",
    "(\n    hub.loop,\n    other,\n) = pair",
    "for hub.loop, other in pairs:\n    pass",
    "with opened() as hub.loop:\n    pass",
    "setattr(hub, 'loop', fake)",
    "replace(hub, 'loop', fake)",
    'replace(hub,\n    "loop", fake)',
    "stub(name='loop')",
    "patch('shop.hub.loop')",
    "flexmock(hub).should_receive('loop')",
    "hub.__dict__['loop'] = fake",
    "vars(hub)['loop'] = fake",
    "patch.multiple(hub, loop=fake)",
    "self.hub.loop = fake",
    "for name in ['loop', 'other']:\n    mock_object(hub, name)",
    "for name in {'loop', 'other'}:\n    mock_object(hub, name)",
)
READS = (
    "self.loop = fake",
    "self.loop: object = fake",
    "run(hub.loop, other)",
    "if hub.loop == fake:\n    pass",
    "if hub.loop:\n    pass",
    "data['loop']",
)


@pytest.mark.parametrize("text", PUTS)
def test_what_puts_is_read(text):
    ast.parse(text)
    assert may_put(text.encode(), "loop", on_self=False)


@pytest.mark.parametrize("text", READS)
def test_what_only_reads_or_is_of_self_is_not(text):
    ast.parse(text)
    assert not may_put(text.encode(), "loop", on_self=False)


@pytest.mark.parametrize("text", READS)
def test_what_is_put_on_self_counts_where_it_is_asked_for(text):
    assert may_put(text.encode(), "loop", on_self=True) == ("= fake" in text and "self" in text)
