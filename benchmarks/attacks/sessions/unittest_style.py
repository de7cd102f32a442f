import io
import unittest

from sqlalchemy import select

from database import Base, SessionLocal, User, engine, seed


class Names(unittest.TestCase):
    def setUp(self):
        Base.metadata.drop_all(engine)
        seed()
        self.db = SessionLocal()
        self.addCleanup(self.db.close)

    def test_names(self):
        self.assertEqual(self.db.scalars(select(User.name).order_by(User.id)).all(), ["ann", "bob"])

    def test_missing(self):
        self.assertIsNone(self.db.get(User, 9))

    def tearDown(self):
        self.db.rollback()


if __name__ == "__main__":
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Names)
    result = unittest.TextTestRunner(stream=io.StringIO()).run(suite)
    print(result.testsRun, result.wasSuccessful())
