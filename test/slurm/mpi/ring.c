/* Passes a number around all ranks, ROUNDS times. Each adds one, so what comes back to the first says
 * that every rank had it in every round, in order. */
#include <mpi.h>
#include <stdio.h>

enum { ROUNDS = 10, TAG = 7 };

int main(int argc, char **argv)
{
	int rank, size, length, value = 0;
	char node[MPI_MAX_PROCESSOR_NAME];

	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &size);
	MPI_Get_processor_name(node, &length);
	printf("rank %d of %d on %s\n", rank, size, node);

	for (int round = 0; round < ROUNDS; round++) {
		if (rank > 0) {
			MPI_Recv(&value, 1, MPI_INT, rank - 1, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
			value++;
			MPI_Send(&value, 1, MPI_INT, (rank + 1) % size, TAG, MPI_COMM_WORLD);
			continue;
		}
		value++;
		if (size > 1) {
			MPI_Send(&value, 1, MPI_INT, 1, TAG, MPI_COMM_WORLD);
			MPI_Recv(&value, 1, MPI_INT, size - 1, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
		}
	}
	if (rank == 0)
		printf("ring of %d: %d\n", size, value);
	fflush(stdout); /* MPICH 4.0 does not always come back from the next call */
	MPI_Finalize();
	return 0;
}
