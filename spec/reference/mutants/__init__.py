"""Ways to break the reference on purpose, so that the conformance tests can be seen to fail.

A mutant is a function that replaces a small part of the reference by a wrong one. Beside its name stands the section or
the rule of the document that it breaks: the test that finds it must be one of that.
"""

from mutants import section_3, section_4_1_to_4_4, section_4_5_to_4_6, section_6_to_8, section_9
from mutants.catalogue import become, offered
