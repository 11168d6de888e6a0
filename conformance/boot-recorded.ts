export function bootRecorded() {}
