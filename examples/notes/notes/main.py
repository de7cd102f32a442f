from typing import List, Optional

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy.pool import StaticPool
from sqlmodel import Field, Relationship, Session, SQLModel, create_engine, select

engine = create_engine(
    "sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool
)
app = FastAPI()


class Tag(SQLModel, table=True):
    id: Optional[int] = Field(default=None, primary_key=True)
    note_id: int = Field(foreign_key="note.id")
    word: str


class Note(SQLModel, table=True):
    id: Optional[int] = Field(default=None, primary_key=True)
    text: str
    tags: List[Tag] = Relationship()


class Writing(SQLModel):
    text: str
    tags: List[str] = []


def get_session():
    with Session(engine) as session:
        yield session


def found(session: Session, key: int) -> Note:
    note = session.get(Note, key)
    if note is None:
        raise HTTPException(404)
    return note


@app.on_event("startup")
def start():
    SQLModel.metadata.drop_all(engine)
    SQLModel.metadata.create_all(engine)


@app.post("/notes", status_code=201)
def write(writing: Writing, session: Session = Depends(get_session)):
    note = Note(text=writing.text, tags=[Tag(word=word) for word in writing.tags])
    session.add(note)
    session.commit()
    session.refresh(note)
    return {"id": note.id, "text": note.text}


@app.get("/notes")
def notes(session: Session = Depends(get_session)):
    rows = []
    for note in session.exec(select(Note).order_by(Note.id)).all():
        rows.append({"text": note.text, "tags": [tag.word for tag in note.tags]})
    return rows


@app.get("/notes/{key}")
def note(key: int, session: Session = Depends(get_session)):
    return {"text": found(session, key).text}


@app.put("/notes/{key}")
def change(key: int, writing: Writing, session: Session = Depends(get_session)):
    note = found(session, key)
    note.text = writing.text
    session.add(note)
    session.commit()
    return {"id": key}


@app.delete("/notes/{key}", status_code=204)
def remove(key: int, session: Session = Depends(get_session)):
    session.delete(found(session, key))
    session.commit()


@app.get("/tags")
def tags(session: Session = Depends(get_session)):
    return session.exec(select(Tag.word).order_by(Tag.word).distinct()).all()
