import pytest
from described import described, values_of

FACTORIES = """
import factory
from models import Note, User
class Base(factory.alchemy.SQLAlchemyModelFactory): ...
class UserFactory(Base):
    class Meta:
        model = User
class Admins(UserFactory): ...
class Typed(Base):
    class Meta:
        model: type[User] = User
class Own(UserFactory):
    @classmethod
    def _create(cls, model, *args, **kwargs): return Note()
class Told(UserFactory):
    @classmethod
    def _create(cls, model, *args, **kwargs):
        made = super()._create(model, *args, **kwargs)
        return made
class Else(UserFactory):
    @classmethod
    def _create(cls, model, *args, **kwargs): return super()._create(Note)
class Written(UserFactory):
    @classmethod
    def create(cls, **kwargs): return Note()
class Unsure(Base): ...
"""


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("UserFactory()", "User"),
        ("UserFactory.create(name='a')", "User"),
        ("UserFactory.build()", "User"),
        ("Typed()", "User"),
        ("Admins.create_batch(2)", "list[User]"),
        ("UserFactory.build_batch(2)[0]", "User"),
        ("Written.create()", "Note"),
        ("Told()", "User"),
        ("Else()", "m.Else"),
        ("Own.create()", "?nothing visible assigns `create` of `m.Own`"),
        ("Unsure.create()", "?nothing visible assigns `create` of `m.Unsure`"),
    ],
)
def test_a_factory_makes_objects_of_the_class_that_its_options_name(call, expected):
    assert described(values_of(f"{FACTORIES}x = {call}\nx")) == expected
