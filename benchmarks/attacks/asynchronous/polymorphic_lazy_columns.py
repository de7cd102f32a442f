from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

engine = create_engine("sqlite:///a.db")


class Base(DeclarativeBase):
    pass


class Pet(Base):
    __tablename__ = "pets"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "pet"}

    def speak(self) -> str:
        return "..."


class Dog(Pet):
    __tablename__ = "dogs"
    id: Mapped[int] = mapped_column(ForeignKey("pets.id"), primary_key=True)
    bark: Mapped[str]
    toys: Mapped[list["Toy"]] = relationship()
    __mapper_args__ = {"polymorphic_identity": "dog"}

    def speak(self) -> str:
        return f"{self.bark} {len(self.toys)}"


class Toy(Base):
    __tablename__ = "toys"
    id: Mapped[int] = mapped_column(primary_key=True)
    dog_id: Mapped[int] = mapped_column(ForeignKey("dogs.id"))


def main() -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as db:
        db.add_all([Dog(bark="wuff", toys=[Toy(), Toy()]), Pet()])
        db.commit()
    with Session(engine) as db:
        for pet in db.scalars(select(Pet).order_by(Pet.id)):
            print(type(pet).__name__, pet.speak())
        dog = db.get(Pet, 1)
        dog.toys.append(Toy())
        db.commit()
        print(dog.speak(), getattr(dog, "bark"))


if __name__ == "__main__":
    main()
