"""Chance by counting: the n-th number of a seed is a hash of both, so that a model is its seed."""

MASK = (1 << 64) - 1


class Chance:
    def __init__(self, seed):
        self.seed, self.count = seed & MASK, 0

    def bits(self):
        """Steele, Lea & Flood's splitmix64."""
        self.count += 1
        x = (self.seed * 0xd1342543de82ef95 + self.count * 0x9e3779b97f4a7c15) & MASK
        x = ((x ^ x >> 30) * 0xbf58476d1ce4e5b9) & MASK
        x = ((x ^ x >> 27) * 0x94d049bb133111eb) & MASK
        return x ^ x >> 31

    def below(self, n):
        return self.bits() % n

    def between(self, low, high):
        return low + self.below(high - low + 1)

    def happens(self, probability):
        return self.bits() < probability * 2.0**64

    def pick(self, items):
        return items[self.below(len(items))]

    def weighted(self, table):
        """A key of {key: weight}."""
        at = self.below(sum(table.values()))
        for key, weight in table.items():
            at -= weight
            if at < 0:
                return key
        raise AssertionError("weights of a choice")

    def number(self, low, high):
        """A short decimal."""
        return round(low + (high - low) * self.below(1000) / 1000, 3)

    def shuffle(self, items):
        for i in range(len(items) - 1, 0, -1):
            k = self.below(i + 1)
            items[i], items[k] = items[k], items[i]
