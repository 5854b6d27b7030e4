/* The rule for survivor sets: a reveal needs a certificate, the signatures of Q of N clients over one set of survivors.
   C clients are corrupt and sign anything; an honest one signs one set in its life. The server shows each honest
   client one of two sets. It wins if both sets get a certificate: then holders of both kinds can be asked for both
   secrets of one client.

   Claim: 2Q > N + C keeps it from that; at 2Q = N + C it wins. */
#ifndef N
#define N 7
#endif
#ifndef C
#define C 2
#endif
#ifndef Q
#define Q 5
#endif

byte first = C;          /* signatures over the one set; corrupt clients have signed both */
byte second = C;
byte asked = 0;          /* honest clients that have signed */

active proctype server() {
    do
    :: asked < N - C -> atomic { first++; asked++ }     /* shows the next honest client the one set */
    :: asked < N - C -> atomic { second++; asked++ }    /* or the other */
    :: asked < N - C -> asked++                         /* or it never answers */
    :: asked == N - C -> break
    od;
    assert(!(first >= Q && second >= Q))
}
