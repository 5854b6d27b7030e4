"""Mutants of section 9: the privacy mechanism."""

import bits
import client
import noise
import removal
import unmasking

from mutants.catalogue import mutant


@mutant("9.1-1")
def subnormal_numbers_accepted():
    noise._is_positive_normal = lambda bits: bits >> 63 == 0 and bits >> 52 < 0x7FF


@mutant("9.1-1")
def skellam_noise_of_any_variance():
    right = noise.Noise.keeps_the_rules
    noise.Noise.keeps_the_rules = lambda self, length: right(
        noise.Noise(**(vars(self) | {"law": noise.DISCRETE_GAUSSIAN})), length
    )


@mutant("9.1-1")
def centred_noise_below_the_floor():
    noise.VARIANCES = noise.VARIANCES | {noise.CENTRED: (2**14, 2**22)}


@mutant("9.1")
def one_fraction_bit_too_many():
    right = noise.fraction_bits
    noise.fraction_bits = lambda norm_squared, length: right(norm_squared, length) + 1


@mutant("9.2")
def norm_of_fractions_in_the_finest_units():
    noise.Noise.greatest_square = property(lambda self: self.norm_squared)


@mutant("9.2")
def purposes_share_a_stream():
    right = noise.Stream.__init__
    noise.Stream.__init__ = lambda self, seed, purpose: right(self, seed, "")


@mutant("9.2")
def rounded_to_the_nearest():
    noise._round = lambda grid, stream: [(x + noise.GRID // 2) // noise.GRID for x in grid]


@mutant("9.2")
def norm_unchecked():
    right = noise.rounded
    noise.rounded = lambda grid, norm_squared, seed: right(grid, 2**128, seed)


@mutant("9.2")
def rounded_towards_zero():
    noise._round = lambda grid, stream: [int(x / noise.GRID) for x in grid]


@mutant("9.2")
def centred_one_too_low():
    noise.centred = lambda elements, bits: [x - 2**bits if x >> (bits - 1) else x for x in (e + 1 for e in elements)]


@mutant("9")
def no_noise():
    noise.draw = lambda law, variance, seed, count: [0] * count


@mutant("9.3")
def half_the_noise():
    right = noise.draw
    noise.draw = lambda law, variance, seed, count: right(law, variance // 4, seed, count)


@mutant("9.3")
def zero_twice_as_often():
    right = noise.HalfGaussian.__init__
    noise.HalfGaussian.__init__ = lambda self, exponent, doubled: right(self, exponent, False)


@mutant("9.3")
def signs_before_all_distances():
    noise.SHORT = 0


@mutant("9.3")
def words_one_by_one():
    noise.BLOCK = 1


@mutant("9.3")
def two_levels_without_rejection():
    noise.Stream.exp_minus = lambda self, exponent: True


@mutant("9.3")
def poisson_of_the_whole_variance():
    right = noise.Poisson.__init__
    noise.Poisson.__init__ = lambda self, mean: right(self, 2 * mean)


@mutant("9")
def noise_added_to_fractions_cut_off():
    right = noise.draw_around
    noise.draw_around = lambda centres, variance, fraction_bits, seed: right(
        [centre >> fraction_bits for centre in centres], variance, 0, seed
    )


@mutant("9.3")
def centred_on_the_nearest_integer():
    right = noise.Centred.__init__
    noise.Centred.__init__ = lambda self, variance, centre: right(self, variance, 0 * centre)


@mutant("9.3")
def negative_fractions_not_mirrored():
    right = noise.draw_around

    def positive(centre, one):
        nearest = (2 * centre + one) // (2 * one)
        return nearest * one + abs(centre - nearest * one)

    noise.draw_around = lambda centres, variance, fraction_bits, seed: right(
        [positive(centre, 2**fraction_bits) for centre in centres], variance, fraction_bits, seed
    )


@mutant("9.3")
def half_is_nearest_to_the_integer_below():
    right = noise.draw_around
    noise.draw_around = lambda centres, variance, fraction_bits, seed: [
        -x for x in right([-centre for centre in centres], variance, fraction_bits, seed)
    ]


@mutant("9.1-1")
def levels_in_any_order():
    noise.Noise._levels_keep_the_rules = lambda self: all(
        level.variance <= self._greatest() for level in self.levels
    )


@mutant("9.6")
def one_component_too_many_removed():
    right = removal.kept
    removal.kept = lambda terms, survivors: max(1, right(terms, survivors) - 1)


@mutant("9.6")
def a_level_kept_at_its_own_number():
    removal.kept = lambda terms, survivors: 1 + sum(level.survivors >= survivors for level in terms.levels)


@mutant("9.6")
def components_of_the_whole_share():
    right = removal.components
    removal.components = lambda terms, chain, first, seed, length: right(
        noise.Noise(**(vars(terms) | {"variance": 0})), chain, first, seed, length
    )


@mutant("9.6")
def only_the_first_superfluous_component_removed():
    right = unmasking._without_noise

    def without(collected, sums, client, seeds):
        whole = removal.components

        def first_one(terms, chain, first, seed, length):
            short = noise.Noise(**(vars(terms) | {"levels": terms.levels[:first]}))
            return whole(short, chain, first, seed, length)

        removal.components = first_one
        found = right(collected, sums, client, seeds)
        removal.components = whole
        return found

    unmasking._without_noise = without


@mutant("9.6")
def a_chain_for_all_vectors():
    right = removal.Chain._derive
    removal.Chain._derive = lambda self, label, seed, component: right(
        removal.Chain(self.session, self.client, 0), label, seed, component
    )
