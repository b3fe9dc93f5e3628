"""What no worker has seen: put into tests/ for one check of plans/evidence.toml, and nowhere else."""

import unittest

from shop.price import price_of


class Capitals(unittest.TestCase):
    def test_mixed(self):
        self.assertEqual(price_of("PeAr"), 55)

    def test_unknown(self):
        with self.assertRaises(KeyError):
            price_of("BRICK")


if __name__ == "__main__":
    unittest.main()
