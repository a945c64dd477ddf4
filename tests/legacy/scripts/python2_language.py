# -*- coding: utf-8 -*-
"""What Python 2 made of things that Python 3 reads otherwise, or not at all."""
import os, sys
import cPickle
import cStringIO
from StringIO import StringIO
import ConfigParser, Queue
from urllib2 import urlopen, URLError
from itertools import izip, imap
import python2_helper

class Old:
    def __div__(self, other): return 'div %r' % (other,)
    def __rdiv__(self, other): return 'rdiv %r' % (other,)

class New(object):
    __metaclass__ = type
    def __truediv__(self, other): return 'true'
    def __div__(self, other): return 'classic'
    def __idiv__(self, other): return 'in place'
    def __nonzero__(self): return False
    def next(self): return 4

evaluated = []
def noted(value):
    evaluated.append(value)
    return value

def section(name):
    print
    print "==", name

section("division")
print 7 / 2, -7 / 2, 7 / -2, 7. / 2, 7 / 2., True / 2, (7 / 2) * 2.0, 1 / 2 / 2.
print 10 ** 20 / 3 == 33333333333333333333L, Old() / 2, 3 / Old(), New() / 1
n = New()
n /= 3
a = 7; a /= 2
d = {'k': [9, 9]}
d[noted('k')][noted(1)] /= noted(2)
class C: v = 9
C.v /= 2
f = 5.
f /= 2
print n, a, d['k'], C.v, f, evaluated
rows = [8, 9]
rows[0:1][0] /= 2
def generous(k=5 / 2): return [k / i for i in range(1, 3)]
h = python2_helper.half(9)
print (lambda n: n / 2)(9), generous(), rows, h
try:
    1 / 0
except ZeroDivisionError, error:
    print "caught", error

section("rounding")
print [round(v) for v in (0.5, -0.5, 1.5, 2.5, 0.49999999999999994, -2.5, 1e300, 2)]
print [round(v, 2) for v in (2.675, 0.125, -0.125, 1.005, 1e22, 123.455)]
print [round(v, -2) for v in (150., 250., 149.9, -50)], cmp(1, 2), cmp(2, 1), cmp('a', 'a')

section("syntax")
print `1 + 1`, 0755, 0xFFL == 255, 1 <> 2, u'\u00e9' == u'é', ur'a\d', "\d"
print ("a", 1), ("in brackets")
exec "made = 3 // 2"
print made
def unpack((a, b), c=(1, 2)): return a + b + c[0]
print unpack((1, 2)), map(None, [1, 2]), map(str, [1, 2]), filter(None, [0, 1]), zip([1], [2])
print sorted({'b': 1, 'a': 2}.items()), {'a': 1}.has_key('a'), bool(New()), New().next()
for k, v in sorted({'x': 1}.iteritems()): print k, v,
print
if True:
        print "eight spaces"
if True:
	print "a tab"
if True:
        print "eight spaces, then"
	print "a tab is the same"
text = """a
	tab inside"""
print len(text), reduce(lambda a, b: a * b, xrange(1, 5)), list(imap(abs, [-1])), list(izip([1], [2]))
try:
    raise ValueError, "with a comma"
except (ValueError, KeyError), error:
    print "caught", error
print >>sys.stdout, "to a file", unicode("text"), isinstance("s", basestring), long(3) == 3
print intern("x"), apply(max, (1, 2)), callable(len), sys.maxint > 2 ** 30
print cPickle.loads(cPickle.dumps({'a': [1, 2]})) == {'a': [1, 2]}, StringIO("read").read()
print cPickle.loads("S'\\xe9'\np0\n.") == "\xe9", urlopen.__name__, Queue.Queue(2).maxsize
print "no newline at the end",
