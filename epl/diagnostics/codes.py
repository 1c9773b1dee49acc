"""All codes of the language, in order."""

from epl.diagnostics.annotation_codes import ANNOTATION_CODES
from epl.diagnostics.model import Code
from epl.diagnostics.name_codes import NAME_CODES
from epl.diagnostics.syntax_codes import SYNTAX_CODES
from epl.diagnostics.type_codes import TYPE_CODES

LANGUAGE_CODES: tuple[Code, ...] = (*SYNTAX_CODES, *NAME_CODES, *TYPE_CODES, *ANNOTATION_CODES)
