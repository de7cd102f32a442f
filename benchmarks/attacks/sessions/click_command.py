import click
from click.testing import CliRunner
from sqlalchemy import select

from database import SessionLocal, User, seed


@click.group()
def cli():
    seed()


@cli.command()
@click.argument("key", type=int)
@click.option("--deep/--no-deep")
def show(key, deep):
    with SessionLocal() as db:
        user = db.get(User, key)
        if user is None:
            raise click.ClickException("nobody")
        click.echo(f"{user.name} {len(user.posts) if deep else ''}")


@cli.command()
def every():
    with SessionLocal() as db:
        for name in db.scalars(select(User.name).order_by(User.id)):
            click.echo(name)


if __name__ == "__main__":
    import database

    database.Base.metadata.drop_all(database.engine)
    print(CliRunner().invoke(cli, ["show", "1", "--deep"]).output)
    database.Base.metadata.drop_all(database.engine)
    print(CliRunner().invoke(cli, ["show", "9"]).output)
    database.Base.metadata.drop_all(database.engine)
    print(CliRunner().invoke(cli, ["every"]).output)
