"""Renders small templates with Python's Jinja2 as Hugging Face configures it.

python3 snippets.py > snippets.json     (Jinja2 3.1.6, Python 3.11)
"""

import copy
import datetime
import json

from jinja2 import nodes
from jinja2.exceptions import TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        lineno = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        call = self.call_method("_generation")
        return nodes.CallBlock(call, [], [], body).set_lineno(lineno)

    def _generation(self, caller):
        return caller()


def raise_exception(message):
    raise TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


NOW = datetime.datetime(2026, 3, 4, 5, 6, 7)
env = ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
)
env.filters["tojson"] = tojson
env.globals["raise_exception"] = raise_exception
env.globals["strftime_now"] = lambda f: NOW.strftime(f)

CONTEXT = {
    "s": "Hello, World",
    "pad": "  x y \t\n",
    "u": "Grüße 日本 😀!",
    "n": 7,
    "f": 2.5,
    "t": True,
    "no": False,
    "nil": None,
    "e": "",
    "l": [3, 1, 2],
    "w": ["b", "A", "c", "a"],
    "d": {"b": 1, "a": [1, {"x": None}], "items": "own", "C": 2.0},
    "users": [
        {"name": "Ann", "age": 30, "tags": ["x", "y"], "a": {"b": 1}},
        {"name": "bob", "age": 25, "tags": [], "a": {"b": 2}},
        {"name": "Cid", "age": 30, "tags": ["z"]},
    ],
    "messages": [
        {"role": "system", "content": "Be <b>brief</b> & 'nice'"},
        {"role": "user", "content": "Hi \"there\"\nline"},
        {"role": "assistant", "content": "<think>hm</think>Yes", "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}}]},
    ],
}

S = []


def add(*snippets):
    S.extend(snippets)


def exprs(*expressions):
    S.extend("{{ " + e + " }}" for e in expressions)


# Literals and how they are printed
exprs(
    "1", "-1", "007" if False else "7", "1_000", "0x1F", "0b101", "0o17", "1.5", "1e3", "1E-7", "1.0", "100000.0",
    "1e15", "1e16", "123456789012345678.0", "1.5e300", "0.1", "1e-4", "1e-5", "0.00001234", "2.5e-10", "-0.0", "1/3",
    "'a'", '"a"', "'a' 'b'", "'it\\'s'", "'a\\nb'", "'\\t|\\x41|\\u00e9|\\U0001F600'", "'\\d'", "'\\101'", "'\\é'",
    "true", "True", "false", "none", "None", "[]", "[1, 'a', None, true, 1.0]", "[1,]", "()", "(1,)", "(1, 2)", "1, 2",
    "{}", "{'a': 1}", "{'a': {'b': [1, 'x']}}", "{1: 2, 'k': (1,)}", "['it\\'s']", "['say \"hi\"']", "['both \\' and \"']",
    "['tab\\t nl\\n back\\\\']", "['é😀\\x00\\x7f\\u200b']", "[1.0, 1e20, 0.1]", "{'a': 1, 'a': 2}", "{1: 'a', 1.0: 'b', true: 'c'}",
    "[[], [[]]]", "123456789012345678901234567890", "{'a': 1,}", "[undefined_thing]", "'a' ~ 1 ~ none ~ true ~ 1.5 ~ [1]",
)
# Arithmetic
for a in ["7", "-7", "7.5", "-7.5", "true", "0", "2**70"]:
    for b in ["2", "-2", "3.0", "0.5"]:
        for op in ["+", "-", "*", "/", "//", "%"]:
            if (a, b) in [("7", "2"), ("-7", "2"), ("7", "-2"), ("-7.5", "2"), ("7.5", "-2"), ("7", "3.0"), ("-7", "0.5"), ("true", "2"), ("2**70", "3.0"), ("2**70", "-2"), ("0", "-2"), ("0", "3.0"), ("-7.5", "0.5")]:
                exprs(f"({a}) {op} ({b})")
exprs(
    "2 ** 10", "2 ** -1", "2 ** 0.5", "2 ** 3 ** 2", "-2 ** 2", "(-8) ** 2", "0 ** 0", "2 ** 100", "10 ** 20", "0.0 ** 0", "0 ** -1", "1 ** 1000000",
    "1 / 0", "1 // 0", "1 % 0", "1.0 / 0", "1 + 2 * 3 - 4 / 2", "(1 + 2) * 3", "7 // 2 * 2", "-7 // 2", "+3", "- -3", "-true", "-'a'",
    "'a' + 'b'", "'a' + 1", "1 + 'a'", "'ab' * 3", "3 * 'ab'", "'ab' * -1", "'ab' * 1.5", "[1] + [2]", "[1] * 2", "(1,) + (2,)", "[1] + (2,)",
    "{} + {}", "none + 1", "1 + none", "'a' - 'b'", "1 + true", "1.5 + true", "'a' ~ 'b' + 'c'", "1 ~ 2 + 3", "2 * 3 ~ 4", "'%s' % 1 ~ 2",
    "undefined_thing + 1", "1 + undefined_thing", "'a' + undefined_thing", "undefined_thing ~ 'x'", "10 % 3.5", "-1 % 3", "1 % -3", "5.5 // 2", "-5.5 // 2", "1e308 * 10", "-1e308 * 10", "1e308 * 10 - 1e308 * 10",
    "0.1 + 0.2", "1e22 + 1", "3.0 == 3", "2 ** 64 // 3", "(2 ** 64) % 1000", "2 ** 0.5 * 2 ** 0.5", "9007199254740993 / 1", "(10 ** 30) / (10 ** 29)", "1 / 3 * 3",
)
# Comparison and logic
exprs(
    "1 < 2 < 3", "1 < 3 < 2", "3 > 2 >= 2 != 1", "1 == 1.0", "1 == true", "'a' == 'a'", "'a' < 'b'", "'a' < 'B'", "[1, 2] < [1, 3]", "[1] < [1, 0]", "(1, 2) == (1, 2)",
    "[1] == (1,)", "{'a': 1} == {'a': 1.0}", "1 < 'a'", "none < 1", "none == none", "none != undefined_thing", "undefined_thing == other_undefined", "undefined_thing < 1",
    "1 in [1, 2]", "3 not in [1, 2]", "'a' in 'cat'", "'' in 'cat'", "1 in 'cat'", "'b' in d", "'z' in d", "1 in 5", "'x' in undefined_thing", "undefined_thing in [1]", "[1] in [[1]]", "[1] in {}",
    "not true", "not 0", "not ''", "not []", "not undefined_thing", "not 1 == 2", "not not 1", "1 and 2", "0 and 2", "'' or 'x'", "none or 0", "0 or none or ''", "1 or 1/0", "0 and 1/0", "1 and 'a' and [] or 'end'",
    "'a' if true else 'b'", "'a' if false else 'b'", "'a' if false", "('a' if false) is defined", "1 if 0 else 2 if 0 else 3", "(1 if 1) + 1", "1 + 1 if true else 5", "'x' if undefined_thing else 'y'", "not 'a' in 'abc'", "1 == 1 in [true]",
    "'é' < 'z'", "'\\U0001F600' > '\\uffff'", "2 ** 64 > 1.5", "2 ** 53 + 1 == 2.0 ** 53", "1 <= true", "[] < [1]", "'' < 'a'", "d == d", "[[1, 2], 3] == [[1, 2], 3]", "range(3) == range(3)" if False else "range(3)|list == [0, 1, 2]",
    "true in [1]", "1.0 in [1]", "none in [none]", "'a' in ('a', 'b')", "2 in range(3)", "'b' in {'a': 1}.keys()", "1 in {'a': 1}.values()", "('a', 1) in {'a': 1}.items()",
)
# Lookup
exprs(
    "d.b", "d['b']", "d.items", "d['items']", "d.a[1].x", "d.missing", "d.missing is defined", "d.missing.x", "d['missing']", "l[0]", "l[-1]", "l[5]", "l[5] is defined", "l['a']", "l.0", "s[0]", "s[-1]", "u[-2]", "s[100]",
    "s.nope", "s['upper']()", "nil.x", "nil['x']", "nil.x.y", "n.x", "undefined_thing.x", "undefined_thing['x']", "undefined_thing()", "s.upper", "s()" , "n()", "nil()", "d.b()", "l[1:]", "l[:1]", "l[:-1]", "l[::-1]", "l[::2]", "l[5:]", "l[1:100]", "l[-2:]", "l[-100:2]", "l[2:1]", "l[::0]",
    "s[1:4]", "s[::-1]", "u[6:8]", "u[-3:]", "u[::2]", "s[:5] + s[5:]", "(1, 2, 3)[1:]", "range(10)[2:5]|list", "range(10)[::-2]|list", "range(5)[1]", "range(5)[9]", "d[none]", "d[1]", "d[[1]]", "{1: 'x'}[true]", "{1: 'x'}[1.0]", "{(1, 2): 'x'}[(1, 2)]", "s[n]", "s['0']", "l[true]", "l[1.0]", "l[none:2]", "l['a':]",
    "users[0].name", "users[0]['tags'][1]", "users[2].a.b", "users[2].a", "users[-1].tags|first", "messages[0]['role']", "messages[2].tool_calls[0].function.arguments.x", "''.__class__", "''.__class__.__mro__", "l.append", "l.append(1)", "d.pop('b')", "d.update({})", "l.sort()", "d.clear", "s.__len__", "d.__x__", "{'__x__': 1}.__x__", "{'_y': 2}._y", "l.__class__ is defined",
    "d.get('b')", "d.get('zz')", "d.get('zz', 5)", "d.get('zz', default=5)", "d.get()", "d.keys()|list", "d.values()|list", "{'a': 1}.items()", "{'a': 1}.keys()", "{'a': 1}.values()", "{'a': 1}.items()|list", "{'a': 1}.copy()", "d.keys()|length", "l.index(1)", "l.index(9)", "[1, 2, 1].count(1)", "(1, 2).index(2)", "l.count('x')", "n.real", "n.bit_length()", "f.is_integer()", "2.0.is_integer()" , "n.imag",
    "{'a': 1}.items()[0]", "{'a': 1}.keys()|first", "[].copy()", "{}.get(1, 2)", "{'x': none}.get('x', 1)", "{'x': none}.x is none",
)
# String methods
for base in ["s", "pad", "u", "e", "'aXbXc'", "'ab12'", "'ǅ ß'", "'a\\r\\nb\\n\\nc\\x0bd'"]:
    exprs(*(f"[{base}.{m}]" for m in [
        "upper()", "lower()", "title()", "capitalize()", "swapcase()", "strip()", "lstrip()", "rstrip()", "split()", "splitlines()", "splitlines(true)", "isalpha()", "isdigit()", "islower()", "isupper()", "isspace()", "isalnum()", "istitle()",
    ]))
exprs(
    "s.strip('Hd')", "'xxaxx'.strip('x')", "'xxaxx'.lstrip('x')", "'xxaxx'.rstrip('x')", "'abcba'.strip('ab')", "s.strip(none)", "s.strip('')", "s.strip(1)", "'a,b,,c'.split(',')", "'a,b,,c'.split(',', 1)", "'a,b,,c'.rsplit(',', 1)", "'a,b'.split(',', maxsplit=0)", "' a  b c '.split(none, 1)", "' a  b c '.rsplit(none, 1)", "' a  b '.split(' ')", "''.split()", "''.split(',')", "'a'.split('')", "'aaa'.split('aa')", "'aaa'.rsplit('aa')", "'a b'.split(sep=' ')", "'<think>x</think>y'.split('</think>')[-1]", "'<think>x</think>y'.split('</think>')[0].split('<think>')[-1]",
    "'a-b-c'.partition('-')", "'abc'.partition('-')", "'a-b-c'.rpartition('-')", "'abc'.rpartition('-')", "','.join(['a', 'b'])", "','.join('abc')", "','.join([1])", "', '.join(d)", "''.join([])", "s.replace('l', 'L')", "s.replace('l', 'L', 1)", "s.replace('', '-')", "'abc'.replace('', '-', 2)", "s.replace('zz', 'y')", "'aaaa'.replace('aa', 'b')", "'aaaa'.replace('aa', '')", "s.replace('l')", "s.startswith('Hell')", "s.startswith(('x', 'He'))", "s.startswith('W', 7)", "s.startswith('')", "s.startswith(['H'])", "s.endswith('World')", "s.endswith(('x', 'ld'))", "s.endswith('Hello', 0, 5)", "s.endswith('')", "s.startswith('', 100)", "s.startswith(1)", "'x' in s.lower()",
    "s.find('o')", "s.find('o', 5)", "s.find('zz')", "s.find('')", "s.rfind('o')", "s.rfind('o', 0, 5)", "s.index('W')", "s.index('zz')", "s.rindex('l')", "s.count('l')", "s.count('')", "s.count('l', 4)", "'aaaa'.count('aa')", "u.find('本')", "u.rfind('!')", "u.find('😀')", "s.find('H', -100)", "s.find('d', -1)", "s.find('', 50)",
    "s.removeprefix('Hello')", "s.removeprefix('x')", "s.removesuffix('World')", "s.removesuffix('')", "'7'.zfill(3)", "'-7'.zfill(4)", "'+7'.zfill(4)", "'abc'.zfill(2)", "'a'.center(5)", "'ab'.center(5)", "'ab'.center(6, '*')", "'a'.center(4)", "'abc'.center(2)", "'a'.ljust(3) ~ '|'", "'a'.rjust(3, '.')", "'a'.ljust(3, 'xy')", "'a\\tb'.expandtabs()", "'a\\tb'.expandtabs(4)", "'ß'.upper()", "'ß'.casefold()", "'İ'.lower()|length", "'ΑΣ'.lower()", "'ﬁ'.upper()", "'they\\'re bill\\'s'.title()", "'hELLO wORLD'.capitalize()", "'ß'.capitalize()" ,
    "'abc'.isascii()", "'é'.isascii()", "'1²'.isdigit()", "'1²'.isdecimal()", "'½'.isnumeric()", "'½'.isdigit()", "'abc_1'.isidentifier()", "'1a'.isidentifier()", "'a b'.isprintable()", "'a\\n'.isprintable()", "''.isalpha()", "'aé日'.isalpha()", "'A1'.isupper()", "'1'.isupper()", "'A b'.istitle()", "'Ab Cd'.istitle()", "'\\u3000'.isspace()", "'a'.nope()", "'abc'.upper(1)", "s.format", "'{}'.format(s.upper())",
    "'{} {}'.format(1, 'a')", "'{0}{1}{0}'.format('a', 'b')", "'{a}-{b}'.format(a=1, b=2)", "'{{}}'.format()", "'{:>5}|{:<5}|{:^5}|'.format('a', 'b', 'c')", "'{:*^7}'.format('x')", "'{:05d}'.format(42)", "'{:+d}'.format(42)", "'{:x} {:X} {:o} {:b}'.format(255, 255, 8, 5)", "'{:#x}'.format(255)", "'{:,}'.format(1234567)", "'{:_}'.format(1234567)", "'{:.2f}'.format(3.14159)", "'{:8.3f}|'.format(3.14159)", "'{:e}'.format(12345.678)", "'{:g}'.format(0.00001)", "'{:g}'.format(1234567.0)", "'{:.3g}'.format(1234.5)", "'{:%}'.format(0.25)", "'{:.1%}'.format(0.256)", "'{!r}'.format('a')", "'{!s:>4}'.format(1)", "'{0[a]}'.format({'a': 5})", "'{0[1]}'.format([1, 2])", "'{0.real}'.format(5)", "'{:{}}|'.format('a', 4)", "'{}'.format()", "'{'.format(1)", "'}'.format(1)", "'{x}'.format(y=1)", "'{:d}'.format('a')", "'{:.2}'.format('abc')", "'{}'.format(none)", "'{:5}|'.format(true)", "'{:>5}'.format(true)", "'{:.1f}'.format(2)", "'{:d}'.format(2.0)", "'{:,.2f}'.format(1234567.891)", "'{:010.2f}'.format(-3.14159)", "'{}{}'.format(1, 2, 3)", "'{1}{}'.format(1, 2)", "'{0.__class__}'.format(1)", "'{:c}'.format(65)", "'{:<05}'.format(3)", "'{:=+6}'.format(3)", "'{:06,}'.format(1234)", "'{a}'.format_map({'a': 1})", "'{:.0f} {:.0f} {:.0f}'.format(0.5, 1.5, 2.5)", "'{:n}'.format(5)", "'{: }'.format(5)", "'{:5}|'.format(5)", "'{:5}|'.format(1.5)", "'{:.3}'.format(3.14159)", "'{:}'.format(1.0)", "'{:>8}'.format([1])",
    "'%s' % 'a'", "'%s %s' % (1, none)", "'%d' % 5", "'%d' % 5.7", "'%5d|%-5d|%05d' % (1, 2, 3)", "'%+d % d' % (1, 2)", "'%x %X %o %#x' % (255, 255, 8, 255)", "'%f %.2f %e %g' % (1.5, 2.345, 12345.6, 0.0001)", "'%r' % 'a'", "'%c%c' % ('a', 66)", "'%%' % ()", "'%(a)s-%(b)d' % {'a': 'x', 'b': 2}", "'%s' % (1, 2)", "'%s %s' % 1", "'%d' % 'a'", "'%s' % [1, 2]", "'%s' % {'a': 1}", "'%.2s' % 'abc'", "'%*d' % (5, 3)", "'%z' % 1", "'%' % 1", "'%(a)s' % 1", "'%(z)s' % {'a': 1}", "'plain' % ()", "'plain' % 1", "'plain' % {}", "'%5.1f|' % 3.14159", "'%i' % true", "'%g %g' % (1e20, 100000)", "'%G' % 1e-10", "'%.0f' % 0.5", "'%.3d' % 5", "'%s' % undefined_thing", "'%d' % undefined_thing", "'%-6s|' % 'ab'", "'%6s|' % 'ab'", "'%5%|' % ()",
)
# Filters
exprs(
    "s|upper", "s|lower", "n|upper", "none|upper", "undefined_thing|upper", "s|title", "'foo-bar (baz) q\\'x'|title", "'hELLO'|capitalize", "pad|trim", "'xxaxx'|trim('x')", "n|trim", "s|length", "l|length", "d|length", "n|length", "undefined_thing|length", "l|count", "u|length", "s|first", "s|last", "l|first", "l|last", "[]|first", "[]|last", "d|first", "d|last", "undefined_thing|first", "n|first", "range(3)|last",
    "l|join", "l|join(', ')", "users|join(', ', attribute='name')", "users|map(attribute='name')|join('/')", "l|join(1)", "none|join", "undefined_thing|join('x')", "'abc'|join('-')", "d|join(',')", "[1, none, true, 'x', 1.5]|join('|')", "[]|join(',')",
    "l|sort", "l|sort(reverse=true)", "w|sort", "w|sort(case_sensitive=true)", "users|sort(attribute='age')|map(attribute='name')|list", "users|sort(attribute='age,name')|map(attribute='name')|list", "users|sort(attribute='age', reverse=true)|map(attribute='name')|list", "[1, 'a']|sort", "'cab'|sort", "d|sort", "[none, 1]|sort", "[[2, 1], [1, 2]]|sort", "undefined_thing|sort", "[2, 1.5, true]|sort",
    "d|dictsort", "d|dictsort(true)", "{'b': 1, 'a': 2}|dictsort(by='value')", "{'b': 1, 'a': 2}|dictsort(reverse=true)", "{'b': 1, 'a': 2}|dictsort(false, 'value', true)", "{'b': 1}|dictsort(by='x')", "l|dictsort", "undefined_thing|dictsort",
    "w|unique|list", "w|unique(true)|list", "users|unique(attribute='age')|map(attribute='name')|list", "[1, 1.0, true, 2]|unique|list", "[[1]]|unique|list", "w|unique",
    "l|max", "l|min", "w|max", "w|min(case_sensitive=true)", "[]|max", "users|max(attribute='age')", "(users|min(attribute='age')).name", "[1, 'a']|max", "undefined_thing|max", "'hello'|max",
    "l|sum", "[]|sum", "users|sum(attribute='age')", "l|sum(start=10)", "[1.5, 2]|sum", "[[1], [2]]|sum(start=[])", "['a']|sum", "['a']|sum(start='')", "undefined_thing|sum",
    "l|reverse", "l|reverse|list", "s|reverse", "d|reverse|list", "n|reverse", "range(3)|reverse|list", "l|map('string')|reverse|list",
    "l|list", "s|list", "d|list", "n|list", "undefined_thing|list", "none|list", "range(4)|list", "d.items()|list|length",
    "users|groupby('age')|map('first')|list", "users|groupby('age')|length", "users|groupby('age')|map(attribute='grouper')|list", "users|groupby('age')|map(attribute='list')|map('map', attribute='name')|map('join', '+')|list", "users|groupby('a.b', default=9)|map('first')|list", "w|groupby(0)|map(attribute='grouper')|list", "w|groupby(0, case_sensitive=true)|map('first')|list", "users|groupby('zz')",
    "range(7)|batch(3)|list", "range(7)|batch(3, 'x')|list", "range(7)|batch(3)", "[]|batch(3)|list", "range(7)|slice(3)|list", "range(7)|slice(3, 'x')|list", "[1]|slice(3)|list", "range(6)|slice(3, 'x')|list", "range(3)|slice(0)|list",
    "l|map('string')|list", "l|map('multiply')|list", "l|map", "l|map('string')", "users|map(attribute='a.b')|list", "users|map(attribute='a.b', default=0)|list", "users|map(attribute='zz')|list", "users|map(attribute='zz', default='q')|list", "users|map(attribute='tags.0')|list", "[[1, 2], [3]]|map('sum')|list", "['a', 'b']|map('upper')|join", "w|map('replace', 'a', 'z')|list", "undefined_thing|map('upper')|list", "n|map('upper')|list", "none|map('upper')|list", "0|map('upper')|list", "l|map(attribute='real')|list", "l|map('default', 1)|list", "['1', '2']|map('int')|sum", "l|map(attribute='x', foo=1)|list",
    "range(6)|select('odd')|list", "range(6)|select|list", "range(6)|reject('odd')|list", "range(6)|reject|list", "l|select('gt', 1)|list", "l|select('in', [1, 2])|list", "l|select('nope')|list", "l|select", "l|select('odd')|length", "users|selectattr('age', 'equalto', 30)|map(attribute='name')|list", "users|selectattr('tags')|map(attribute='name')|list", "users|rejectattr('tags')|map(attribute='name')|list", "users|selectattr('a', 'defined')|list|length", "users|selectattr('a.b', 'defined')|list|length", "users|rejectattr('a', 'undefined')|map(attribute='name')|join(',')", "users|selectattr('name', 'in', ['Ann'])|first", "users|selectattr", "messages|selectattr('role', 'equalto', 'user')|list|length", "messages|selectattr('role', '==', 'user')|first|attr('content')", "(messages|selectattr('role', 'eq', 'user')|first).content", "['a', 1]|select('string')|list", "d|select('ne', 'b')|list", "undefined_thing|select|list", "l|selectattr('x')|list", "messages|rejectattr('role', 'ne', 'system')|map(attribute='content')|first",
    "undefined_thing|default('x')", "undefined_thing|d('x')", "undefined_thing|default", "''|default('x')", "''|default('x', true)", "none|default('x')", "none|default('x', true)", "0|default(5, boolean=true)", "s|default('x')", "d.zz|default(d.b)", "undefined_thing.x|default('q')", "undefined_thing|default(default_value='k')", "undefined_thing|default(1, 2, 3)",
    "n|string", "none|string", "undefined_thing|string|length", "l|string", "'5'|int", "'5.7'|int", "'x'|int", "'x'|int(3)", "'0x1A'|int(base=16)", "'1A'|int(base=16)", "'0b11'|int(0, 2)", "5.9|int", "-5.9|int", "true|int", "none|int", "none|int(7)", "undefined_thing|int", "' 12 '|int", "'1_000'|int", "''|int", "'1e3'|int", "'inf'|int", "l|int", "'1.5'|float", "'x'|float", "'x'|float(2)", "5|float", "none|float", "'1e3'|float", "'nan'|float", "'-inf'|float", "' 1.5 '|float", "true|float", "'1_0.5'|float", "'.5'|float", "'5.'|float", "'٣'|int" ,
    "42.55|round", "42.55|round(1)", "42.55|round(1, 'floor')", "42.51|round(1, 'ceil')", "42|round", "42.5|round", "43.5|round", "-2.5|round", "2.675|round(2)", "1234.5|round(-2)", "1234|round(-2)", "1250|round(-2)", "42.55|round(0, 'x')", "'a'|round", "true|round", "2.5|round|int", "42|round(1, 'ceil')", "1e20|round", "-0.4|round", "-5|abs", "-5.5|abs", "true|abs", "'a'|abs", "undefined_thing|abs",
    "s|replace('l', 'L')", "s|replace('l', 'L', 1)", "n|replace(7, 8)", "s|replace('o', none)", "undefined_thing|replace('a', 'b')", "s|replace('l')", "s|replace('l', 'L', count=2)", "'a.b'|replace('.', '')",
    "'a\\nb\\n\\nc'|indent", "'a\\nb\\n\\nc'|indent(2, true)", "'a\\nb\\n\\nc'|indent(2, blank=true)", "'a\\nb'|indent('> ')", "'a\\nb'|indent(first=true, width=1)", "n|indent", "''|indent", "'a\\n'|indent", "'\\na'|indent(2)",
    "'foo bar baz qux'|truncate(9)", "'foo bar baz qux'|truncate(9, true)", "'foo bar baz qux'|truncate(11)", "'foo bar baz qux'|truncate(11, false, '...', 0)", "'abc'|truncate(2)", "'foobarbazqux'|truncate(5, leeway=0)", "s|truncate", "'foo bar baz qux'|truncate(9, end='')",
    "s|center(20)", "'ab'|center(5)", "s|center", "'a b c'|wordcount", "''|wordcount", "'it\\'s a-b_c'|wordcount", "'the quick brown fox jumps'|wordwrap(10)", "'the quick brown fox jumps'|wordwrap(3)", "'abcdefghij'|wordwrap(4)", "'abcdefghij kl'|wordwrap(4, false)", "'a b\\nc d e'|wordwrap(3)", "'aaa bbb'|wordwrap(3, wrapstring='|')", "'well-known word'|wordwrap(6)", "'  lead and   gaps  '|wordwrap(8)", "'x'|wordwrap(0)", "'abc def-ghi-jkl'|wordwrap(7)",
    "'<b>x</b> &amp; y  z'|striptags", "'<!-- c -->a<br/>b'|striptags", "'a < b > c'|striptags", "'a b/c?d=é&'|urlencode", "{'a b': 'c&d', 'e': 1}|urlencode", "[('a', 1), ('b', 'x y')]|urlencode", "n|urlencode",
    "'<b>&\"\\''|e", "'<b>'|escape", "'<b>'|forceescape", "'<b>'|e|e", "n|e", "none|e", "'<b>'|safe", "'<b>'|safe ~ '<i>'", "'<b>'|safe + '<i>'", "'<i>' + '<b>'|safe", "('<b>'|safe) + ('<i>'|e)", "('<b>'|safe)|upper", "('<b>'|safe)|length", "('<b>'|safe)[0:2] + '<'", "['<b>'|safe]", "'<b>'|safe == '<b>'", "('%s'|safe) % '<'", "('{}'|safe).format('<')", "('a<b'|safe).replace('a', '<')", "('<b>'|safe)|tojson", "'<b>'|e|tojson", "('a'|safe) * 2", "('<b>'|safe).split('b')", "[('<b>'|safe), '<']|join('&')", "('&'|safe).join(['<', '>'])", "'<b>'|safe is string", "'<b>'|safe is escaped", "'<b>' is escaped", "('x'|safe)|string + '<'", "('x'|safe).strip() + '<'",
    "d|tojson", "'é😀<&\\'\\\"\\\\\\n\\t\\x01\\x7f'|tojson", "'é😀'|tojson(ensure_ascii=true)", "d|tojson(indent=2)", "[]|tojson(indent=2)", "{}|tojson(indent=2)", "[1, [2, {}], {'a': []}]|tojson(indent=1)", "d|tojson(sort_keys=true)", "d|tojson(separators=(',', ':'))", "{'a': 1, 'b': [1, 2]}|tojson(separators=(',', ':'), indent=4)", "none|tojson", "true|tojson", "1.0|tojson", "1e100|tojson", "1e16|tojson", "(1, 2)|tojson", "{1: 2, true: 3, none: 4, 1.5: 5}|tojson", "{(1, 2): 3}|tojson", "undefined_thing|tojson", "[undefined_thing]|tojson", "range(3)|tojson", "d.items()|tojson", "d.keys()|tojson", "(d.items()|list)|tojson", "l|map('string')|tojson", "('inf'|float)|tojson", "namespace(a=1)|tojson", "l|tojson(indent='--')", "l|tojson(none, 2)" if False else "l|tojson(false, 2)", "l|tojson(indent=0)", "10**25|tojson", "(10**25)|tojson", "'a'|tojson ~ 'b'", "'</script>'|tojson", "users[0]|tojson", "raise_exception|tojson",
    "d|items|list", "{'a': 1}|items|first", "undefined_thing|items|list", "l|items", "l|items|list", "none|items|list", "d|attr('b')", "s|attr('upper')", "s|attr('nope')", "('abc'|attr('upper'))()", "d|attr('get')('b')", "undefined_thing|attr('x')", "'%s-%s'|format(1, 'a')", "'%(a)s'|format(a=5)", "'%s'|format(1, 2)", "'%s'|format", "'x'|format(1, a=2)", "1000|filesizeformat", "1|filesizeformat", "999|filesizeformat", "1500000|filesizeformat", "2048|filesizeformat(true)", "'5'|filesizeformat", "d|pprint", "'a'|pprint", "[1, 'x']|pprint",
    "s|nope", "s|upper|lower|title", "s|upper()", "s|upper(1)", "s|length == 12", "-1|abs", "(-1)|abs", "1 + 2|string|length", "'a' ~ 'b'|upper", "not s|length", "l|first + 1", "2 * l|length", "s|lower in 'hello, world'", "l|length > 2 and s|length > 3", "[1, 2]|first|string ~ 'x'", "s|default('x')|upper if s else 'n'",
)
# Tests
for v in ["1", "1.0", "'a'", "none", "true", "false", "[]", "{}", "()", "undefined_thing", "range(2)", "d.items()", "d.keys()", "l|map('string')", "namespace()", "s.upper", "raise_exception", "'A'", "0", "'<b>'|safe", "cycler(1)", "joiner()", "l[0:1]"]:
    exprs(*[" ~ ' ' ~ ".join(f"(({v}) is {t})" for t in ["defined", "none", "boolean", "integer", "float", "number", "string", "mapping", "iterable", "sequence", "callable", "true", "false", "escaped"])])
exprs(
    "3 is odd", "4 is even", "4 is odd", "3.0 is odd", "'a' is odd", "9 is divisibleby 3", "9 is divisibleby(4)", "9 is divisibleby 0", "'abc' is lower", "'ABC' is upper", "'aB' is lower", "1 is lower", "'x' is in 'xyz'", "1 is in [1]", "1 is not in [2]", "1 is eq 1", "1 is equalto 2", "1 is == 1", "1 is ne 2", "2 is gt 1", "2 is greaterthan 1", "2 is ge 2", "1 is lt 2", "1 is lessthan 2", "1 is le 1", "none is sameas none", "1 is sameas true", "l is sameas l", "'upper' is filter", "'nope' is filter", "'odd' is test", "s is not string", "undefined_thing is not defined", "not s is string", "s is string and n is number", "s is defined or 1/0", "n is divisibleby 7 and t", "s is string is true", "s is nope", "undefined_thing is undefined", "d.x is undefined", "d.x.y is undefined", "1 is string == false", "x is defined if x is defined else 'no'", "l is sequence and l is not string and l is not mapping", "none is not none", "s is string(1)", "4 is even|string", "1 is lt", "messages[0].content is string", "true is number", "true is integer", "3 is odd()", "[1] is eq [1]", "{} is eq {}", "1 is eq(1)", "'a' is in ['a', 'b'] or false",
)
# Functions
exprs(
    "range(5)", "range(1, 4)|list", "range(5, 0, -2)|list", "range(0)|list", "range(1, 10, 3)", "range(0, 5, 0)", "range('a')", "range()", "range(100000)|length", "range(100001)|length", "range(10**18)", "range(1.5)", "range(true)|list", "dict(a=1, b='x')", "dict({'a': 1}, b=2)", "dict([('a', 1)])", "dict()", "dict([1])", "namespace(a=1).a", "namespace({'a': 1}).a", "namespace().x", "namespace(a=1)", "namespace().x is defined", "cycler(1, 2).next()", "cycler()", "joiner()()", "raise_exception('boom')", "raise_exception()", "strftime_now('%Y-%m-%d')", "strftime_now('%d %b %Y %H:%M:%S')", "strftime_now('%A %a %B %j %U %W %w %u %V %G %g %y %C %e %I %p %l %k %M %n %t %% %D %F %T %R %r %c %x %X %h %P %f %Z|%z|')", "strftime_now('%-d/%-m/%-H %_d %^a %^B %-I %-j %-y %-S')", "strftime_now('')", "strftime_now('plain')", "strftime_now('%q')", "range(*[1, 3])|list", "dict(**{'a': 1})", "dict(a=1, **{'b': 2})", "'{}{}'.format(*'ab')", "'{a}'.format(**{'a': 1})", "dict(a=1, a=2)", "range(1, *[3])|list", "s.replace(*['l', 'L'])",
)

# Whitespace control
add(
    "a\n{% if true %}\nb\n{% endif %}\nc\n", "a\n  {% if true %}  \nb\n  {% endif %}\nc", "a {% if true %} b {% endif %} c", "a\n{%- if true %}\nb\n{%- endif %}\nc", "a\n{% if true -%}\n  b\n{% endif -%}\n c", "{{- 1 -}}", "a {{- 1 -}} b", "a\n {{- 1 -}} \nb", "a\n  {{ 1 }}\nb", "  {{ 1 }}\n", "\n{{ 1 }}\n\n", "a\n\n", "a\n", "\n", "", "   ", "a  {#- c -#}  b", "a\n{# c #}\nb", "a\n  {# c #}\nb", "a {# c #} b", "{# multi\nline #}x", "a\n{#+ c +#}\nb", "a\n  {%+ if true %}b{% endif %}", "a{% if true +%}\nb{% endif %}", "{% if true %}\n\nx{% endif %}", "{% if true %}  \nx{% endif %}", "  {% if true %}x{% endif %}  \n y", "x\n\t{% set a = 1 %}\n\ty", "{% raw %}{{ x }}{% endraw %}", "{% raw -%} {{ x }} {%- endraw %}", "a\n{% raw %}\n {% b %} \n{% endraw %}\nc", "{%- raw -%} x {%- endraw -%} y", "a\r\nb\rc\n", "{{ 'a\r\nb' }}", "{{ 'a\nb' }}", "{% for i in l %}\n  {{ i }}\n{% endfor %}", "{% for i in l -%}\n  {{ i }}\n{%- endfor %}", "{%for i in l%}{{i}}{%endfor%}", "{{1}}{{2}}", "{{ '}}' }}", "{{ {'a': {'b': 1}} }}", "{{ {'a': {'b': 1}}}}", "{% if '%}' %}x{% endif %}", "{ { 1 } }", "{{ 1 }", "}} %} #}", "{% set x = 1 %}{{ x }}", "{% set x = 1 -%}   {{ x }}", "text {{ n }} more\n", "a\n   \n  {% if true %}\n b{% endif %}", "x   {%- if true %} y {%- endif %} z", "{% if true %}{% endif %}\nx", "{{ 1 }}\n{{ 2 }}\n", "{#- a -#}\n\n{#- b -#}\n x", "a \u00a0 {%- if true %}b{% endif %}", "{{-1}}", "{{ -1 }}", "{{- -1 }}", "{%- set a = -1 -%}{{ a }}", "{{ 1 -}}\n x", "\ta\n\t{% if true %}\n\tb\n\t{% endif %}\n", "{% if true %}a{% else %}b{% endif %}\n{% if false %}a{% else %}b{% endif %}\n", "  {% raw %}x{% endraw %}\n y", "{% raw %}\nx\n  {% endraw %}\n y", "a{% raw %} {{ {% endraw %}b",
)
# Statements
add(
    "{% if n > 5 %}big{% elif n > 3 %}mid{% else %}small{% endif %}", "{% if n < 5 %}a{% elif n < 8 %}b{% endif %}", "{% if undefined_thing %}a{% else %}b{% endif %}", "{% if n: %}x{% endif %}" , "{% if %}x{% endif %}", "{% if n %}x", "{% endif %}", "{% nope %}", "{% if n %}{% else %}{% else %}{% endif %}", "{% if n in l or s %}y{% endif %}", "{% if 1, 2 %}t{% endif %}",
    "{% for x in l %}{{ x }},{% endfor %}", "{% for x in [] %}{{ x }}{% else %}none{% endfor %}", "{% for x in undefined_thing %}{{ x }}{% else %}none{% endfor %}", "{% for x in none %}{{ x }}{% endfor %}", "{% for x in n %}{{ x }}{% endfor %}", "{% for x in s[:3] %}{{ x }}.{% endfor %}", "{% for x in u %}{{ x }}.{% endfor %}", "{% for k in d %}{{ k }} {% endfor %}", "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k, v in d|dictsort %}{{ k }}={{ v }};{% endfor %}", "{% for a, b in [(1, 2), (3, 4)] %}{{ a + b }} {% endfor %}", "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "{% for a, b in [1] %}{% endfor %}", "{% for a, b in [(1,)] %}{% endfor %}", "{% for a, b in [(1, 2, 3)] %}{% endfor %}", "{% for a, b in ['xy'] %}{{ a }}-{{ b }}{% endfor %}", "{% for x in 1, 2, 3 %}{{ x }}{% endfor %}", "{% for x in l if x > 1 %}{{ loop.index }}:{{ x }}/{{ loop.length }} {% else %}no{% endfor %}", "{% for x in l if x > 9 %}{{ x }}{% else %}no{% endfor %}", "{% for x in range(3) %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }};{% endfor %}", "{% for x in l %}{{ loop.previtem }}<{{ x }}<{{ loop.nextitem }};{% endfor %}", "{% for x in l %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }};{% endfor %}", "{% for x in l %}{{ loop.cycle('a', 'b') }}{% endfor %}", "{% for x in [1, 1, 2] %}{{ loop.changed(x) }} {% endfor %}", "{% for x in l %}{{ loop.nope is defined }}{% endfor %}", "{% for x in l %}{{ loop }}{% endfor %}", "{{ loop }}", "{% for x in l %}{% for y in l %}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}", "{% for x in l %}{% set outer = loop %}{% for y in [1] %}{{ outer.index }}{% endfor %}{% endfor %}", "{% for x in l|map('string') %}{{ x }}{{ loop.last }}{{ loop.length }};{% endfor %}", "{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}", "{% for x in l %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}", "{% for x in l %}{% break %}{% else %}e{% endfor %}|", "{% break %}", "{% for x in l %}{% for y in l %}{% break %}{% endfor %}{{ x }}{% endfor %}", "{% for x in users recursive %}{{ x.name }}{% if x.kids %}({{ loop(x.kids) }}){% endif %}{% endfor %}", "{% for x in [[1, [2, [3]]]] recursive %}{{ loop.depth }}{% if x is sequence %}[{{ loop(x) }}]{% else %}{{ x }}{% endif %}{% endfor %}", "{% for x in l %}{{ loop(l) }}{% endfor %}", "{{ x }}{% for x in l %}{% endfor %}{{ x }}", "{% set x = 1 %}{% for y in l %}{% set x = x + y %}{{ x }} {% endfor %}{{ x }}", "{% set ns = namespace(x=0) %}{% for y in l %}{% set ns.x = ns.x + y %}{% endfor %}{{ ns.x }}", "{% for x in l %}{% if loop.first %}{% set q = x %}{% endif %}{{ q }}{% endfor %}", "{% if true %}{% set q = 1 %}{% endif %}{{ q }}", "{% if false %}{% set q = 1 %}{% endif %}{{ q is defined }}", "{% for i in l %}{{ i }}{% set i = 9 %}{{ i }}{% endfor %}", "{% for message in messages %}{{ message['role'] }}{{ '!' if loop.last else ',' }}{% endfor %}", "{% for x in l %}{{ loop.index }}{% endfor %}{{ loop is defined }}", "{% for x in range(3) %}{% if x %}{% set y = x %}{% endif %}{{ y }}|{% endfor %}", "{% for i in l %}a{% endfor %}{% for i in l[1:] %}b{% else %}c{% endfor %}", "{% for _ in range(2) %}x{% endfor %}", "{% for x in l %}{{ loop.index is divisibleby 2 }}{% endfor %}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set a = 1, 2 %}{{ a }}", "{% set (a, b) = [1, 2] %}{{ a }}{{ b }}", "{% set a, b = [1] %}", "{% set a %}x{{ n }}y{% endset %}{{ a }}|{{ a|length }}", "{% set a | upper %}x{{ n }}y{% endset %}{{ a }}", "{% set a | replace('x', 'z') | upper %}x{% endset %}{{ a }}", "{% set a %}{% set b = 5 %}{{ b }}{% endset %}{{ a }}{{ b }}", "{% set ns = namespace() %}{% set ns.a = 1 %}{{ ns.a }}", "{% set ns = {} %}{% set ns.a = 1 %}", "{% set undefined_ns.a = 1 %}", "{% set true = 1 %}", "{% set 1 = 1 %}", "{% set s = s + '!' %}{{ s }}", "{% set a = b = 1 %}", "{% set a = 1 if false %}{{ a is defined }}", "{% set ns = namespace(l=[]) %}{% for x in l %}{% set ns.l = ns.l + [x * 2] %}{% endfor %}{{ ns.l }}", "{% set ns = namespace(a=1) %}{{ ns['a'] }}{{ ns.b is defined }}", "{% set ns = namespace() %}{% set ns.t %}block{% endset %}{{ ns.t }}", "{% set d = dict(d, z=1) %}{{ d.z }}", "{% set x = none %}{{ x is none }}", "{% set f = s.upper %}{{ f() }}", "{% set e = [] %}{{ e or 'empty' }}", "{% set a = [1] + [2] %}{{ a[-1] }}",
    "{% macro m(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(b=5, a=4) }} {{ m() }}", "{% macro m(a) %}{{ a is defined }}{% endmacro %}{{ m() }}{{ m(1) }}", "{% macro m(a) %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, x=4) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(x=2) }}", "{% macro m(a, b=a) %}{{ b }}{% endmacro %}{{ m(3) }}", "{% macro m() %}{{ s }}{% endmacro %}{{ m() }}", "{% macro m() %}{% set s = 1 %}{{ s }}{% endmacro %}{{ m() }}{{ s }}", "{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}body{% endcall %}", "{% macro m() %}{{ caller(1, 2) }}{% endmacro %}{% call(a, b) m() %}{{ a + b }}{% endcall %}", "{% macro m() %}{{ caller is defined }}{% endmacro %}{{ m() }}", "{% macro m(x) %}{{ x }}{{ caller() }}{% endmacro %}{% for i in l %}{% call m(i) %}{{ loop.index }}{% endcall %}{% endfor %}", "{% macro f(n) %}{% if n %}{{ n }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(5) }}", "{{ m is defined }}{% macro m() %}{% endmacro %}{{ m is defined }}", "{% macro m(a, b) %}{{ a }}{{ b }}{% endmacro %}{{ m(*[1, 2]) }}{{ m(**{'a': 3, 'b': 4}) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m.name }}{{ m.arguments }}{{ m.catch_kwargs }}{{ m.catch_varargs }}{{ m.caller }}", "{% macro m(a=1, b) %}{% endmacro %}", "{% macro m(x) %}{{ x }}{% endmacro %}{{ m('a') ~ m('b') }}{{ m('c')|upper }}{{ m('d')|length }}", "{% macro a() %}1{% endmacro %}{% macro b() %}{{ a() }}2{% endmacro %}{{ b() }}", "{% set x = 1 %}{% macro m() %}{{ x }}{% endmacro %}{% set x = 2 %}{{ m() }}", "{% for i in l %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endfor %}", "{% macro m() %}{{ loop }}{% endmacro %}{% for i in l %}{{ m() }}{% endfor %}", "{% macro m(l) %}{% for x in l %}{{ x }}{% endfor %}{% endmacro %}{{ m([1, 2]) }}", "{% macro m() %}\n  x\n{% endmacro %}\n[{{ m() }}]", "{% macro m() -%}\n  x\n{%- endmacro %}\n[{{ m() }}]", "{{ m() }}{% macro m() %}{% endmacro %}", "{% macro m(a, a2='x') %}{{ a ~ a2 }}{% endmacro %}{{ m('q', a2='z') }}{{ m(a='r') }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, a=2) }}", "{% if true %}{% macro m() %}in{% endmacro %}{% endif %}{{ m() }}", "{% call s.upper() %}{% endcall %}", "{% call s %}{% endcall %}", "{% macro m(f) %}{{ f() }}{% endmacro %}{{ m(s.upper) }}", "{% macro m(x='a', y=none) %}{{ x }}{{ y }}{% endmacro %}{{ m(none) }}{{ m(undefined_thing) }}",
    "{% filter upper %}a{{ n }}{% endfilter %}", "{% filter replace('a', 'b') | upper %}aa{% endfilter %}", "{% filter nope %}a{% endfilter %}", "{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a is defined }}", "{% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q is defined }}", "{% with a = 1 %}{% with b = a %}{{ b }}{% endwith %}{% endwith %}", "{% set a = 5 %}{% with a = 1, b = a %}{{ b }}{% endwith %}", "{% print 1, 'a' %}", "{% do l.append(1) %}", "{% generation %}x{{ n }}{% endgeneration %}", "{% generation %}{% set g = 1 %}{% endgeneration %}{{ g is defined }}", "{% for i in l %}{% generation %}{{ i }}{% endgeneration %}{% endfor %}", "{% block b %}x{{ n }}{% endblock %}", "{% include 'x' %}", "{% if false %}{% include 'x' %}{% endif %}ok", "{% autoescape false %}{{ '<' }}{% endautoescape %}", "{% if false %}{{ s|nope }}{% endif %}ok", "{{ (s|nope) if false else 'ok' }}", "{% for x in [] %}{{ x|nope }}{% endfor %}ok", "{% if false %}{% for x in [] %}{{ x|nope }}{% endfor %}{% endif %}ok", "{% if true %}{{ s|nope }}{% endif %}ok", "{{ 'x' if s is nope else 'ok' }}", "{% macro m() %}{{ s|nope }}{% endmacro %}ok",
    "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.reset() }}{{ c.current }}", "{% set j = joiner(', ') %}{% for x in l %}{{ j() }}{{ x }}{% endfor %}", "{% set j = joiner() %}{{ j() }}a{{ j() }}b", "{{ [1, 2, 3]|map('string')|join(', ')|replace('2', 'two')|upper }}", "{{ 1 if true }}{{ 2 if false }}", "{% set x = {'a': [1, 2, {'b': 'c'}]} %}{{ x.a[2].b }}{{ x['a'][0] }}", "{% set m = messages[0] %}{{ m['content'] | trim }}", "{% set loop_messages = messages[1:] %}{% for m in loop_messages %}{{ loop.index0 }}{{ m.role }}{% endfor %}", "{% if messages[0]['role'] == 'system' %}{% set sys = messages[0]['content'] %}{% else %}{% set sys = '' %}{% endif %}{{ sys }}", "{{ '<|im_start|>' + messages[1].role + '\\n' + messages[1].content | trim + '<|im_end|>' }}", "{% for m in messages[::-1] %}{{ m.role }} {% endfor %}", "{% for m in messages %}{% if m.tool_calls %}{% for tc in m.tool_calls %}{{ tc.function.name }}({{ tc.function.arguments | tojson }}){% endfor %}{% endif %}{% endfor %}", "{% for k, v in messages[2].tool_calls[0].function.arguments|items %}{{ k }}:{{ v }}{% endfor %}", "{% for k, v in {'a': true, 'b': 'x'}.items() %}<{{ k }}>{{ v if v is string else v | tojson }}</{{ k }}>{% endfor %}", "{{ messages | length }} {{ messages[-1].role }} {{ (messages | last).role }}", "{% if 'think' in messages[-1].content %}{{ messages[-1].content.split('</think>')[-1].lstrip('\\n') }}{% endif %}", "{% set content = messages[-1].content %}{% set r = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}{{ r }}", "{{ messages | map(attribute='role') | unique | list }}", "{{ messages | selectattr('tool_calls', 'defined') | list | length }}", "{{ d | tojson | length }}{{ d.keys() | list | join(',') }}", "{{ undefined_thing.attribute.deep }}", "{{ messages[10].role }}", "{{ messages[10] }}", "{% set x = messages[10] %}{{ x is defined }}", "{{ tools is defined and tools }}", "{% if tools is defined and tools is not none %}t{% else %}n{% endif %}", "{% if not undefined_thing %}u{% endif %}", "{% set ns = namespace(found=false) %}{% for x in l %}{% if x == 1 and not ns.found %}{% set ns.found = true %}{{ loop.index }}{% endif %}{% endfor %}{{ ns.found }}", "{{ caller }}", "{{ varargs is defined }}", "{{ self is defined }}", "{{ [s, n] | string }}", "{{ (1, 'a') | string }}", "{{ l is iterable and 1 }}", "{{ none ~ '' }}", "{{ 'a' 'b' ~ 'c' }}", "{{ s.split(', ')[1][::-1] | upper }}", "{{ {'a': 1}['a'] }}", "{{ [[1, 2], [3, 4]][1][0] }}", "{{ {'k': s}.k.lower().title() }}", "{{ ('a', 'b')[0] }}", "{{ 'abc'[1:][0] }}", "{{ (l | sort)[0] }}", "{{ (n + 1) | string | length }}", "{{ n.__add__(1) }}", "{{ loop.index }}", "{{ l | first | default('z') }}", "{{ '' | first is defined }}", "{{ 5 is number and 5 is not string }}", "{{ s is string and s | length > 3 }}", "{{ 1 < 2 and 2 < 3 or 1/0 }}", "{{ not (1 and 0) }}", "{{ (not 1) == false }}", "{{ [] == false }}", "{{ '' == none }}", "{{ a.b.c is defined }}", "{{ s.a.b is defined }}", "{{ d['a'][0]['x'] is defined }}", "{{ l.x.y }}", "{{ 1 .real }}", "{{ 1.real }}", "{{ l . first }}", "{{ s . upper ( ) }}", "{{ s|  upper  }}", "{{\ns\n}}", "{{ s # c }}", "{{ $ }}", "{{ 'a }}", "{{ (1 }}", "{{ 1) }}", "{{ [1, }}", "{{ 1 2 }}", "{{ a b }}", "{{ }}", "{{ * }}", "{{ a. }}", "{{ a[ }}", "{{ a| }}", "{{ a is }}", "{{ if }}", "{{ not }}", "{{ 1 + }}", "{{ {1} }}", "{{ {'a'} }}", "{{ f(a=1, 2) }}", "{{ f(*a, b) }}", "{% for %}", "{% for x %}", "{% for x in %}{% endfor %}", "{% set %}", "{% set x %}", "{% macro %}", "{# open", "{% raw %}open", "{% if 1 %}{% for x in l %}{% endif %}{% endfor %}", "{{ 1 if }}", "{{ a ? b : c }}", "{{ a && b }}", "{{ !a }}", "{{ x => y }}", "{{ {**d} }}", "{{ [*l] }}", "{{ l[0, 1] }}", "{{ lambda: 1 }}", "{{ a := 1 }}",
)

results = []
for snippet in dict.fromkeys(S):
    try:
        results.append({"template": snippet, "expected": env.from_string(snippet).render(**copy.deepcopy(CONTEXT))})
    except Exception as e:
        results.append({"template": snippet, "error": f"{type(e).__name__}: {e}"})
# What names addresses in memory or numbers of one process is no truth
results = [r for r in results if " at 0x" not in r.get("expected", "") and "method" not in r.get("expected", "")]
note = "python3 snippets.py > snippets.json (Jinja2 3.1.6, Python 3.11)"
print('{"command": ' + json.dumps(note) + ',\n "context": ' + json.dumps(CONTEXT) + ',\n "snippets": [')
print(",\n".join(json.dumps(r) for r in results))
print("]}")
