/** Something that a person has to put right: the message says what is wrong and what to do. */
export class VmProblem extends Error {
  name = 'VmProblem';
}
