#include <stdio.h>
#include <stdlib.h>

/* How many primes there are below a number, and the sum of 1/n^2 up to it, in doubles. */
int main(int argc, char **argv) {
  int count = argc > 1 ? atoi(argv[1]) : 0, primes = 0;
  double sum = 0;
  char *composite = calloc(count, 1);
  for (int n = 1; n < count; n++) {
    sum += 1 / ((double)n * n);
    if (n == 1 || composite[n]) continue;
    primes++;
    for (long multiple = (long)n * n; multiple < count; multiple += n) composite[multiple] = 1;
  }
  free(composite);
  printf("%d primes, sum %.12f\n", primes, sum);
  return 0;
}
