"""The fixture runner, public: third-party rules are tested with the same."""
