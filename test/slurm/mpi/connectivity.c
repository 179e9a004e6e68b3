/* Every two ranks exchange a message of a MiB and look at each byte of it: large enough for the ways
 * that MPI libraries keep for large messages. Then all of them add up what they saw. */
#include <mpi.h>
#include <stdio.h>
#include <string.h>

enum { BYTES = 1 << 20, TAG = 11 };

static unsigned char sent[BYTES], got[BYTES];

int main(int argc, char **argv)
{
	int rank, size, good = 0, all = 0;

	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &size);

	memset(sent, rank + 1, BYTES);
	for (int peer = 0; peer < size; peer++) {
		int bytes, same = 1;
		MPI_Status status;

		if (peer == rank)
			continue;
		MPI_Sendrecv(sent, BYTES, MPI_BYTE, peer, TAG, got, BYTES, MPI_BYTE, peer, TAG, MPI_COMM_WORLD, &status);
		MPI_Get_count(&status, MPI_BYTE, &bytes);
		for (int i = 0; i < bytes; i++)
			same &= got[i] == (unsigned char)(peer + 1);
		good += same && bytes == BYTES;
	}
	MPI_Reduce(&good, &all, 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
	if (rank == 0)
		printf("connectivity of %d: %d of %d\n", size, all, size * (size - 1));
	fflush(stdout); /* MPICH 4.0 does not always come back from the next call */
	MPI_Finalize();
	return 0;
}
