import beside

def third(n):
    print beside.WORD,
    return n / 3
