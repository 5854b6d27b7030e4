"""The curve edwards25519 in extended coordinates: RFC 8032 sections 5.1 and 5.1.4.

A point is the tuple (X, Y, Z, T) with x = X/Z, y = Y/Z and x * y = T/Z.
"""

P = 2**255 - 19  # the field
L = 2**252 + 27742317777372353535851937790883648493  # the order of the base point
D = -121665 * pow(121666, -1, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)

IDENTITY = (0, 1, 1, 0)
_BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
_BASE_Y = 46316835694926478169428394003475163141307993866256225615783033603165251855960
BASE_POINT = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % P)


def add(p, q):
    """RFC 8032 section 5.1.4: the sum of two points. The formula is complete, it doubles as well."""
    x1, y1, z1, t1 = p
    x2, y2, z2, t2 = q
    a = (y1 - x1) * (y2 - x2) % P
    b = (y1 + x1) * (y2 + x2) % P
    c = t1 * 2 * D * t2 % P
    d = z1 * 2 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def negate(p):
    """The point with the opposite x-coordinate."""
    x, y, z, t = p
    return (-x % P, y, z, -t % P)


def multiply(scalar: int, p):
    """The point added to itself `scalar` times, by doubling and adding."""
    result = IDENTITY
    while scalar > 0:
        if scalar & 1:
            result = add(result, p)
        p = add(p, p)
        scalar >>= 1
    return result


def equal(p, q) -> bool:
    """Whether two points are the same point of the curve (RFC 8032 section 6)."""
    same_x = (p[0] * q[2] - q[0] * p[2]) % P == 0
    same_y = (p[1] * q[2] - q[1] * p[2]) % P == 0
    return same_x and same_y
