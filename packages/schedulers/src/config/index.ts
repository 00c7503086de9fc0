export {
  choice,
  flag,
  integer,
  integers,
  numeric,
  optionalNumber,
  optionalNumbers,
  resolve,
  type Field,
  type Fields,
} from './fields.ts'
