package drivertest

import "slices"

// Case is one thing that the kit proves of a driver.
type Case struct {
	Name   string // "exit/status-42": a group and a name, unique
	Proves string // one sentence
	Guards string // the real fault that it guards against, one sentence
	run    func(*trial)
}

// Cases returns every case, in the order in which they run: the simple before what builds on it.
func Cases() []Case {
	return slices.Concat(
		driverCases(),
		exitCases(),
		stdioCases(),
		environmentCases(),
		processCases(),
		appliedCases(),
		descriptorCases(),
		signalCases(),
		ttyCases(),
		lifecycleCases(),
		creatorCases(),
		execCases(),
		pauseCases(),
		updateCases(),
		refusalCases(),
		settingCases(),
		stormCases(),
	)
}
