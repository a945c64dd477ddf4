def half(n):
    print "halving", n
    return n / 2

def fail():
    print "about to"
    for i in xrange(3):
        if i == 2:
            return 1 / (2 - i)
